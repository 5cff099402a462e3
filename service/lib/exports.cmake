# cmake -DHEADERS="a.h b.h" -DSYMBOLS=file -DVERSION_SCRIPT=file -P exports.cmake
# What libiptrust exports is what its installed headers name: the ipt_* words in them. Types and inline functions among
# these match no symbol; names that modules share among themselves stay out.
separate_arguments(HEADERS UNIX_COMMAND "${HEADERS}")
set(names "")
foreach(header ${HEADERS})
  file(READ "${header}" text)
  string(REGEX MATCHALL "ipt_[a-z0-9_]+" words "${text}")
  list(APPEND names ${words})
endforeach()
list(REMOVE_DUPLICATES names)
list(SORT names)
list(JOIN names "\n" lines)
file(WRITE "${SYMBOLS}" "${lines}\n")
list(JOIN names ";\n    " lines)
file(WRITE "${VERSION_SCRIPT}" "IPTRUST_0 {\n  global:\n    ${lines};\n  local:\n    *;\n};\n")
