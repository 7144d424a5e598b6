#pragma once

namespace tokensieve::cli {

/// The program `tokensieve-train attention-locality`: how much of its attention each head gives to
/// neighbours, and which heads MaiT masks next. `argv[0]` is the command's name. Returns the exit
/// code.
int attention_locality_command(int argc, char** argv);

}  // namespace tokensieve::cli
