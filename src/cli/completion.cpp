// tokensieve completion bash: a script that completes commands, options and recipe words.

#include <algorithm>
#include <iostream>
#include <memory>

#include "commands.h"
#include "option_values.h"
#include "tokensieve/core/recipe.h"

namespace tokensieve::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string option_words(const CLI::App& command) {
  std::vector<std::string> words;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return joined(words);
}

void print_bash(const CLI::App& program) {
  std::vector<std::string> names;
  std::string cases;
  for (const CLI::App* command : program.get_subcommands({})) {
    names.push_back(command->get_name());
    cases += "    " + command->get_name() + ") options='" + option_words(*command) + "' ;;\n";
  }
  std::cout
      << R"(# tokensieve completion for bash. To use it now:  source <(tokensieve completion bash)
_tokensieve() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W ')"
      << joined(names) << R"( --help --version' -- "$word"))
    return
  fi
  case $before in
    -r|--recipe|--recipes) COMPREPLY=($(compgen -W ')"
      << joined(recipe_words("method")) << R"(' -- "$word")); return ;;
    -m|--model) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --dtype) COMPREPLY=($(compgen -W 'f32 bf16' -- "$word")); return ;;
    --colormap) COMPREPLY=($(compgen -W 'viridis cividis' -- "$word")); return ;;
  esac
  case ${COMP_WORDS[1]} in
)" << cases
      << R"(  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _tokensieve tokensieve
)";
}

}  // namespace

void add_completion(CLI::App& program) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand("completion", "Print a completion script for a shell");
  command->add_option("shell", *shell, "bash")->type_name("SHELL")->required();
  command->footer("Example: source <(tokensieve completion bash)");
  command->callback([shell, &program] {
    choose<bool>("completion", *shell, {{"bash", true}});
    print_bash(program);
  });
}

}  // namespace tokensieve::cli
