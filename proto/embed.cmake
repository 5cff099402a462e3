# Turns a file into a C array: cmake -D IN=file -D OUT=file.c -P embed.cmake
file(READ ${IN} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUT} "#include <stddef.h>\n
const unsigned char ipt_descriptors[] = {\n${bytes}\n};\nconst size_t ipt_descriptors_size = ${size};\n")
