# TOKENSIEVE_SANITIZE names the sanitizers of the whole tree, for example "address,undefined".

if(TOKENSIEVE_SANITIZE)
  add_compile_options(-fsanitize=${TOKENSIEVE_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TOKENSIEVE_SANITIZE})
endif()
