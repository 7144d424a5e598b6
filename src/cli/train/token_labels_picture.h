#pragma once

namespace tokensieve::cli {

/// The program `tokensieve-train token-labels`: what a teacher of Token Labeling says of every
/// place of a picture, drawn over it. `argv[0]` is the command's name. Returns the exit code.
int token_labels_command(int argc, char** argv);

}  // namespace tokensieve::cli
