# Completes the command lines of manyshim in fish.
# Written by scripts/write_completions.py, with shtab (https://github.com/tqdm/shtab).

# Custom Preamble

function _shtab_glob_compgen_9843f12c
  set comp (commandline -ct)
  for candidate in (__fish_complete_path "$comp")
    set -l candidate_path (string split -m1 \t -- "$candidate")[1]
    for pattern in '*.whl' '*/'  # recurse into subdirs
      if string match -q -- "$pattern" "$candidate_path"
        printf '%s\n' "$candidate"
        break
      end
    end
  end
end

function _shtab_glob_compgen_b13dd7c7
  set comp (commandline -ct)
  for candidate in (__fish_complete_path "$comp")
    set -l candidate_path (string split -m1 \t -- "$candidate")[1]
    for pattern in '*.whl' '*.tar.gz' '*/'  # recurse into subdirs
      if string match -q -- "$pattern" "$candidate_path"
        printf '%s\n' "$candidate"
        break
      end
    end
  end
end

# End Custom Preamble

# Parse current commandline:
# - _shtab_manyshim_cmdpath=(sub)command path seen so far
# - _shtab_manyshim_npos=number of positional arguments given after it
# - options are skipped based on _shtab_manyshim_opts_with_value & _shtab_manyshim_commands lists
function _shtab_manyshim_scan
  set -g _shtab_manyshim_cmdpath ''
  set -g _shtab_manyshim_npos 0
  set -l tokens (commandline -opc)
  set -e tokens[1]
  set -l expect_value 0
  for t in $tokens
    if test $expect_value -eq 1
      set expect_value 0
      continue
    end
    switch "$t"
      case '--*=*'
        continue
      case '-*'
        if contains -- $t $_shtab_manyshim_opts_with_value
          set expect_value 1
        end
        continue
      case '*'
        if test $_shtab_manyshim_npos -eq 0
          set -l candidate $t
          if test -n "$_shtab_manyshim_cmdpath"
            set candidate "$_shtab_manyshim_cmdpath $t"
          end
          if contains -- $candidate $_shtab_manyshim_commands
            set -g _shtab_manyshim_cmdpath $candidate
            continue
          end
        end
        set -g _shtab_manyshim_npos (math $_shtab_manyshim_npos + 1)
    end
  end
end

# Condition helper: true if the current (sub)command path equals the given one.
function _shtab_manyshim_using
  _shtab_manyshim_scan
  test "$_shtab_manyshim_cmdpath" = "$argv"
end

set -g _shtab_manyshim_commands show check retag repair init release ci explain policies config completion
set -g _shtab_manyshim_opts_with_value --allow --arch --bundle --color --compression-level --config-setting --exclude --explain --fix --format --jobs --library-path --like --naming --only --out-dir --platform --sdist --shard --strip --sysroot --systems --wheel-dir -C -o -w

complete -c manyshim -e
complete -c manyshim -f

complete -c manyshim -n _shtab_manyshim_using -s h -l help -d 'show this help message and exit'
complete -c manyshim -n _shtab_manyshim_using -s V -l version -d 'print the version'
complete -c manyshim -n _shtab_manyshim_using -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n _shtab_manyshim_using -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using; and test $_shtab_manyshim_npos -eq 0' -a show -d 'show the tag that is proved for each wheel, and what rules out older tags'
complete -c manyshim -n '_shtab_manyshim_using show' -s h -l help -d 'show this help message and exit'
complete -c manyshim -n '_shtab_manyshim_using show' -l json -d 'print JSON'
complete -c manyshim -n '_shtab_manyshim_using show' -l platform -xka "auto manylinux1 manylinux_2_5 manylinux2010 manylinux_2_12 manylinux2014 manylinux_2_17 manylinux_2_24 manylinux_2_26 manylinux_2_27 manylinux_2_28 manylinux_2_31 manylinux_2_34 manylinux_2_35 manylinux_2_36 manylinux_2_37 manylinux_2_38 manylinux_2_39 manylinux_2_40 manylinux_2_41 musllinux_1_1 musllinux_1_2" -d 'the required policy, e.g. manylinux_2_28'
complete -c manyshim -n '_shtab_manyshim_using show' -l exclude -x -d 'libraries that the wheel'"'"'s environment provides'
complete -c manyshim -n '_shtab_manyshim_using show' -l allow -xka "TOO_NEW: EXTERNAL_LIBRARY: FORBIDDEN_SYMBOL: UNKNOWN_NAMESPACE: BY_NAME_ONLY: ISA: ELF_CORRUPT: WRONG_ABI: WRONG_OS: MIXED_ARCH: MIXED_LIBC: NEEDED_PATH: VERDEF_MISSING: LIBPYTHON: MUSL_UNDEFINED: ELF_IN_PURE_WHEEL: DUP_MEMBER: SYMLINK_MEMBER: BAD_PATH: EXECSTACK: ABI3: FALSE_TAG: INDEX_TAG: TOO_LARGE: METADATA: FILE_NAME: LICENSE_FILE: ENTRY_POINTS: DESCRIPTION: ZIP_FRAMING: INSTALL_PATH: WRONG_PLATFORM: MACOS_VERSION: MISSING_SLICE: MACOS_LIBRARY: UNSIGNED: WINDOWS_LIBRARY: DEBUG_RUNTIME: PYTHON_DLL: CODE_CORRUPT: SDIST: INCOMPLETE_SET: WHEEL_TAGS: WHEEL_FILE: UNUSABLE_TAG: VC_RUNTIME: NO_INIT: SUFFIX: UNDEFINED: RPATH_LEAK: TEXTREL: VENDORED_SONAME_CLASH: PAGE_ALIGN: RECORD: NO_ELF: NO_MODULE: ELF_DAMAGED: MUSL_PATCH_LEVEL: EXCLUDED: DEVICE_CODE: LIBC_ASSUMED: STATIC_TLS: COMMONLY_ABSENT: WX_SEGMENT: STATIC_OBJECT: DUPLICATE_LIBRARY: FLOAT_ABI_UNKNOWN:" -d 'errors to downgrade to warnings (still shown)'
complete -c manyshim -n '_shtab_manyshim_using show' -l naming -xka "listed exact" -d 'exact lets platform = auto choose policies between the listed ones, e.g. manylinux_2_29'
complete -c manyshim -n '_shtab_manyshim_using show' -l strict -d 'treat NO_ELF, NO_MODULE and a MUSL_PATCH_LEVEL that breaks the import as errors, too'
complete -c manyshim -n '_shtab_manyshim_using show' -l jobs -x -d 'how many processes share the files (default: one per CPU)'
complete -c manyshim -n '_shtab_manyshim_using show' -s v -l verbose -d 'also show informational findings'
complete -c manyshim -n '_shtab_manyshim_using show' -l format -xka "text json github sarif junit" -d 'the format of the output'
complete -c manyshim -n '_shtab_manyshim_using show' -l explain -xka "auto always never" -d 'find the source lines that use the reported symbols, for libraries with debug information'
complete -c manyshim -n '_shtab_manyshim_using show' -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n '_shtab_manyshim_using show' -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using show; and test $_shtab_manyshim_npos -ge 0' -ka "(_shtab_glob_compgen_9843f12c)" -d 'a wheel (*.whl)'
complete -c manyshim -n '_shtab_manyshim_using; and test $_shtab_manyshim_npos -eq 0' -a check -d 'verify a release before its upload: each file, and that none is missing'
complete -c manyshim -n '_shtab_manyshim_using check' -s h -l help -d 'show this help message and exit'
complete -c manyshim -n '_shtab_manyshim_using check' -l json -d 'print JSON'
complete -c manyshim -n '_shtab_manyshim_using check' -l like -xka "(__fish_complete_path (commandline -ct))" -d 'a folder, or a text file with one file name on each line'
complete -c manyshim -n '_shtab_manyshim_using check' -l platform -xka "auto manylinux1 manylinux_2_5 manylinux2010 manylinux_2_12 manylinux2014 manylinux_2_17 manylinux_2_24 manylinux_2_26 manylinux_2_27 manylinux_2_28 manylinux_2_31 manylinux_2_34 manylinux_2_35 manylinux_2_36 manylinux_2_37 manylinux_2_38 manylinux_2_39 manylinux_2_40 manylinux_2_41 musllinux_1_1 musllinux_1_2" -d 'the required policy, e.g. manylinux_2_28'
complete -c manyshim -n '_shtab_manyshim_using check' -l exclude -x -d 'libraries that the wheel'"'"'s environment provides'
complete -c manyshim -n '_shtab_manyshim_using check' -l allow -xka "TOO_NEW: EXTERNAL_LIBRARY: FORBIDDEN_SYMBOL: UNKNOWN_NAMESPACE: BY_NAME_ONLY: ISA: ELF_CORRUPT: WRONG_ABI: WRONG_OS: MIXED_ARCH: MIXED_LIBC: NEEDED_PATH: VERDEF_MISSING: LIBPYTHON: MUSL_UNDEFINED: ELF_IN_PURE_WHEEL: DUP_MEMBER: SYMLINK_MEMBER: BAD_PATH: EXECSTACK: ABI3: FALSE_TAG: INDEX_TAG: TOO_LARGE: METADATA: FILE_NAME: LICENSE_FILE: ENTRY_POINTS: DESCRIPTION: ZIP_FRAMING: INSTALL_PATH: WRONG_PLATFORM: MACOS_VERSION: MISSING_SLICE: MACOS_LIBRARY: UNSIGNED: WINDOWS_LIBRARY: DEBUG_RUNTIME: PYTHON_DLL: CODE_CORRUPT: SDIST: INCOMPLETE_SET: WHEEL_TAGS: WHEEL_FILE: UNUSABLE_TAG: VC_RUNTIME: NO_INIT: SUFFIX: UNDEFINED: RPATH_LEAK: TEXTREL: VENDORED_SONAME_CLASH: PAGE_ALIGN: RECORD: NO_ELF: NO_MODULE: ELF_DAMAGED: MUSL_PATCH_LEVEL: EXCLUDED: DEVICE_CODE: LIBC_ASSUMED: STATIC_TLS: COMMONLY_ABSENT: WX_SEGMENT: STATIC_OBJECT: DUPLICATE_LIBRARY: FLOAT_ABI_UNKNOWN:" -d 'errors to downgrade to warnings (still shown)'
complete -c manyshim -n '_shtab_manyshim_using check' -l naming -xka "listed exact" -d 'exact lets platform = auto choose policies between the listed ones, e.g. manylinux_2_29'
complete -c manyshim -n '_shtab_manyshim_using check' -l strict -d 'treat NO_ELF, NO_MODULE and a MUSL_PATCH_LEVEL that breaks the import as errors, too'
complete -c manyshim -n '_shtab_manyshim_using check' -l jobs -x -d 'how many processes share the files (default: one per CPU)'
complete -c manyshim -n '_shtab_manyshim_using check' -s v -l verbose -d 'also show informational findings'
complete -c manyshim -n '_shtab_manyshim_using check' -l format -xka "text json github sarif junit" -d 'the format of the output'
complete -c manyshim -n '_shtab_manyshim_using check' -l explain -xka "auto always never" -d 'find the source lines that use the reported symbols, for libraries with debug information'
complete -c manyshim -n '_shtab_manyshim_using check' -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n '_shtab_manyshim_using check' -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using check; and test $_shtab_manyshim_npos -ge 0' -ka "(_shtab_glob_compgen_b13dd7c7)" -d 'a wheel, an sdist, a folder of them, or a pattern such as '"'"'dist/*.whl'"'"''
complete -c manyshim -n '_shtab_manyshim_using; and test $_shtab_manyshim_npos -eq 0' -a retag -d 'write each wheel under the tag that is proved for it'
complete -c manyshim -n '_shtab_manyshim_using retag' -s h -l help -d 'show this help message and exit'
complete -c manyshim -n '_shtab_manyshim_using retag' -l json -d 'print JSON'
complete -c manyshim -n '_shtab_manyshim_using retag' -l platform -xka "auto manylinux1 manylinux_2_5 manylinux2010 manylinux_2_12 manylinux2014 manylinux_2_17 manylinux_2_24 manylinux_2_26 manylinux_2_27 manylinux_2_28 manylinux_2_31 manylinux_2_34 manylinux_2_35 manylinux_2_36 manylinux_2_37 manylinux_2_38 manylinux_2_39 manylinux_2_40 manylinux_2_41 musllinux_1_1 musllinux_1_2" -d 'the required policy, e.g. manylinux_2_28'
complete -c manyshim -n '_shtab_manyshim_using retag' -l exclude -x -d 'libraries that the wheel'"'"'s environment provides'
complete -c manyshim -n '_shtab_manyshim_using retag' -l allow -xka "TOO_NEW: EXTERNAL_LIBRARY: FORBIDDEN_SYMBOL: UNKNOWN_NAMESPACE: BY_NAME_ONLY: ISA: ELF_CORRUPT: WRONG_ABI: WRONG_OS: MIXED_ARCH: MIXED_LIBC: NEEDED_PATH: VERDEF_MISSING: LIBPYTHON: MUSL_UNDEFINED: ELF_IN_PURE_WHEEL: DUP_MEMBER: SYMLINK_MEMBER: BAD_PATH: EXECSTACK: ABI3: FALSE_TAG: INDEX_TAG: TOO_LARGE: METADATA: FILE_NAME: LICENSE_FILE: ENTRY_POINTS: DESCRIPTION: ZIP_FRAMING: INSTALL_PATH: WRONG_PLATFORM: MACOS_VERSION: MISSING_SLICE: MACOS_LIBRARY: UNSIGNED: WINDOWS_LIBRARY: DEBUG_RUNTIME: PYTHON_DLL: CODE_CORRUPT: SDIST: INCOMPLETE_SET: WHEEL_TAGS: WHEEL_FILE: UNUSABLE_TAG: VC_RUNTIME: NO_INIT: SUFFIX: UNDEFINED: RPATH_LEAK: TEXTREL: VENDORED_SONAME_CLASH: PAGE_ALIGN: RECORD: NO_ELF: NO_MODULE: ELF_DAMAGED: MUSL_PATCH_LEVEL: EXCLUDED: DEVICE_CODE: LIBC_ASSUMED: STATIC_TLS: COMMONLY_ABSENT: WX_SEGMENT: STATIC_OBJECT: DUPLICATE_LIBRARY: FLOAT_ABI_UNKNOWN:" -d 'errors to downgrade to warnings (still shown)'
complete -c manyshim -n '_shtab_manyshim_using retag' -l naming -xka "listed exact" -d 'exact lets platform = auto choose policies between the listed ones, e.g. manylinux_2_29'
complete -c manyshim -n '_shtab_manyshim_using retag' -l strict -d 'treat NO_ELF, NO_MODULE and a MUSL_PATCH_LEVEL that breaks the import as errors, too'
complete -c manyshim -n '_shtab_manyshim_using retag' -l jobs -x -d 'how many processes share the files (default: one per CPU)'
complete -c manyshim -n '_shtab_manyshim_using retag' -s v -l verbose -d 'also show informational findings'
complete -c manyshim -n '_shtab_manyshim_using retag' -s w -l wheel-dir -xka "(__fish_complete_directories)" -d 'the folder for the new wheels'
complete -c manyshim -n '_shtab_manyshim_using retag' -l fix -xka "execstack rpath musl-soname" -d 'fixes of ELF files'
complete -c manyshim -n '_shtab_manyshim_using retag' -l strip -xka "none debug all" -d 'strip debug information'
complete -c manyshim -n '_shtab_manyshim_using retag' -l no-trial -d 'do not load changed libraries, for wheels that you do not trust'
complete -c manyshim -n '_shtab_manyshim_using retag' -l compression-level -xka "0 1 2 3 4 5 6 7 8 9" -d 'deflate level of the members that change (default: 6)'
complete -c manyshim -n '_shtab_manyshim_using retag' -l rebuild-record -d 'write RECORD anew from the archive, even if it states other hashes'
complete -c manyshim -n '_shtab_manyshim_using retag' -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n '_shtab_manyshim_using retag' -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using retag; and test $_shtab_manyshim_npos -ge 0' -ka "(_shtab_glob_compgen_9843f12c)" -d 'a wheel (*.whl)'
complete -c manyshim -n '_shtab_manyshim_using; and test $_shtab_manyshim_npos -eq 0' -a repair -d 'copy external libraries into each wheel, then retag it'
complete -c manyshim -n '_shtab_manyshim_using repair' -s h -l help -d 'show this help message and exit'
complete -c manyshim -n '_shtab_manyshim_using repair' -l json -d 'print JSON'
complete -c manyshim -n '_shtab_manyshim_using repair' -l platform -xka "auto manylinux1 manylinux_2_5 manylinux2010 manylinux_2_12 manylinux2014 manylinux_2_17 manylinux_2_24 manylinux_2_26 manylinux_2_27 manylinux_2_28 manylinux_2_31 manylinux_2_34 manylinux_2_35 manylinux_2_36 manylinux_2_37 manylinux_2_38 manylinux_2_39 manylinux_2_40 manylinux_2_41 musllinux_1_1 musllinux_1_2" -d 'the required policy, e.g. manylinux_2_28'
complete -c manyshim -n '_shtab_manyshim_using repair' -l exclude -x -d 'libraries that the wheel'"'"'s environment provides'
complete -c manyshim -n '_shtab_manyshim_using repair' -l allow -xka "TOO_NEW: EXTERNAL_LIBRARY: FORBIDDEN_SYMBOL: UNKNOWN_NAMESPACE: BY_NAME_ONLY: ISA: ELF_CORRUPT: WRONG_ABI: WRONG_OS: MIXED_ARCH: MIXED_LIBC: NEEDED_PATH: VERDEF_MISSING: LIBPYTHON: MUSL_UNDEFINED: ELF_IN_PURE_WHEEL: DUP_MEMBER: SYMLINK_MEMBER: BAD_PATH: EXECSTACK: ABI3: FALSE_TAG: INDEX_TAG: TOO_LARGE: METADATA: FILE_NAME: LICENSE_FILE: ENTRY_POINTS: DESCRIPTION: ZIP_FRAMING: INSTALL_PATH: WRONG_PLATFORM: MACOS_VERSION: MISSING_SLICE: MACOS_LIBRARY: UNSIGNED: WINDOWS_LIBRARY: DEBUG_RUNTIME: PYTHON_DLL: CODE_CORRUPT: SDIST: INCOMPLETE_SET: WHEEL_TAGS: WHEEL_FILE: UNUSABLE_TAG: VC_RUNTIME: NO_INIT: SUFFIX: UNDEFINED: RPATH_LEAK: TEXTREL: VENDORED_SONAME_CLASH: PAGE_ALIGN: RECORD: NO_ELF: NO_MODULE: ELF_DAMAGED: MUSL_PATCH_LEVEL: EXCLUDED: DEVICE_CODE: LIBC_ASSUMED: STATIC_TLS: COMMONLY_ABSENT: WX_SEGMENT: STATIC_OBJECT: DUPLICATE_LIBRARY: FLOAT_ABI_UNKNOWN:" -d 'errors to downgrade to warnings (still shown)'
complete -c manyshim -n '_shtab_manyshim_using repair' -l naming -xka "listed exact" -d 'exact lets platform = auto choose policies between the listed ones, e.g. manylinux_2_29'
complete -c manyshim -n '_shtab_manyshim_using repair' -l strict -d 'treat NO_ELF, NO_MODULE and a MUSL_PATCH_LEVEL that breaks the import as errors, too'
complete -c manyshim -n '_shtab_manyshim_using repair' -l jobs -x -d 'how many processes share the files (default: one per CPU)'
complete -c manyshim -n '_shtab_manyshim_using repair' -s v -l verbose -d 'also show informational findings'
complete -c manyshim -n '_shtab_manyshim_using repair' -s w -l wheel-dir -xka "(__fish_complete_directories)" -d 'the folder for the new wheels'
complete -c manyshim -n '_shtab_manyshim_using repair' -l fix -xka "execstack rpath musl-soname" -d 'fixes of ELF files'
complete -c manyshim -n '_shtab_manyshim_using repair' -l strip -xka "none debug all" -d 'strip debug information'
complete -c manyshim -n '_shtab_manyshim_using repair' -l no-trial -d 'do not load changed libraries, for wheels that you do not trust'
complete -c manyshim -n '_shtab_manyshim_using repair' -l compression-level -xka "0 1 2 3 4 5 6 7 8 9" -d 'deflate level of the members that change (default: 6)'
complete -c manyshim -n '_shtab_manyshim_using repair' -l rebuild-record -d 'write RECORD anew from the archive, even if it states other hashes'
complete -c manyshim -n '_shtab_manyshim_using repair' -l bundle -x -d 'libraries that a repair may copy into the wheel (default: all)'
complete -c manyshim -n '_shtab_manyshim_using repair' -l library-path -xka "(__fish_complete_directories)" -d 'folders where a repair searches external libraries first'
complete -c manyshim -n '_shtab_manyshim_using repair' -l sysroot -xka "(__fish_complete_directories)" -d 'the folder of the target'"'"'s system'
complete -c manyshim -n '_shtab_manyshim_using repair' -l no-sbom -d 'do not write an SBOM of what a repair copied'
complete -c manyshim -n '_shtab_manyshim_using repair' -l dry-run -d 'print the plan and write nothing'
complete -c manyshim -n '_shtab_manyshim_using repair' -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n '_shtab_manyshim_using repair' -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using repair; and test $_shtab_manyshim_npos -ge 0' -ka "(_shtab_glob_compgen_9843f12c)" -d 'a wheel (*.whl)'
complete -c manyshim -n '_shtab_manyshim_using; and test $_shtab_manyshim_npos -eq 0' -a init -d 'make manyshim the build backend of a project, around its own backend'
complete -c manyshim -n '_shtab_manyshim_using init' -s h -l help -d 'show this help message and exit'
complete -c manyshim -n '_shtab_manyshim_using init' -l json -d 'print JSON'
complete -c manyshim -n '_shtab_manyshim_using init' -l write -d 'make the change (without this it is only printed)'
complete -c manyshim -n '_shtab_manyshim_using init' -l in-tree -d 'keep a copy of manyshim in the project instead of a requirement'
complete -c manyshim -n '_shtab_manyshim_using init' -l undo -d 'print the reverse change (with --write: make it)'
complete -c manyshim -n '_shtab_manyshim_using init' -l build -d 'build a wheel in a copy of the project, with the change, and show its report'
complete -c manyshim -n '_shtab_manyshim_using init' -l force -d 'also change a project that compiles nothing'
complete -c manyshim -n '_shtab_manyshim_using init' -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n '_shtab_manyshim_using init' -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using init; and test $_shtab_manyshim_npos -eq 0' -ka "(__fish_complete_directories)" -d 'the folder of the project (default: the current one)'
complete -c manyshim -n '_shtab_manyshim_using; and test $_shtab_manyshim_npos -eq 0' -a release -d 'build the sdist and all Linux wheels of a release with zig, and check them'
complete -c manyshim -n '_shtab_manyshim_using release' -s h -l help -d 'show this help message and exit'
complete -c manyshim -n '_shtab_manyshim_using release' -l json -d 'print JSON'
complete -c manyshim -n '_shtab_manyshim_using release' -s o -l out-dir -xka "(__fish_complete_directories)" -d 'the folder for the sdist and the wheels (default: dist in the project)'
complete -c manyshim -n '_shtab_manyshim_using release' -l only -x -d 'build these wheels only, by names such as cp313-manylinux_2_17_x86_64'
complete -c manyshim -n '_shtab_manyshim_using release' -l jobs -x -d 'how many wheels are built at a time (default: one per CPU)'
complete -c manyshim -n '_shtab_manyshim_using release' -l sdist -xka "(_shtab_glob_compgen_b13dd7c7)" -d 'build from this sdist instead of making it'
complete -c manyshim -n '_shtab_manyshim_using release' -l shard -x -d 'build part K of N, for N machines; give each the same --sdist'
complete -c manyshim -n '_shtab_manyshim_using release' -l like -xka "(__fish_complete_path (commandline -ct))" -d 'a folder or a list of the files of an earlier release'
complete -c manyshim -n '_shtab_manyshim_using release' -l systems -xka "(__fish_complete_directories)" -d 'a folder with systems of other machines'
complete -c manyshim -n '_shtab_manyshim_using release' -l no-test -d 'do not run test-command'
complete -c manyshim -n '_shtab_manyshim_using release' -l dry-run -d 'list the wheels, and those that are there'
complete -c manyshim -n '_shtab_manyshim_using release' -l matrix -d 'print the platforms as JSON, a job of CI for each'
complete -c manyshim -n '_shtab_manyshim_using release' -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n '_shtab_manyshim_using release' -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using release; and test $_shtab_manyshim_npos -eq 0' -ka "(__fish_complete_directories)" -d 'the folder of the project (default: the current one)'
complete -c manyshim -n '_shtab_manyshim_using; and test $_shtab_manyshim_npos -eq 0' -a ci -d 'print or write a workflow for a CI service that builds, checks and publishes a release'
complete -c manyshim -n '_shtab_manyshim_using ci' -s h -l help -d 'show this help message and exit'
complete -c manyshim -n '_shtab_manyshim_using ci' -l json -d 'print JSON'
complete -c manyshim -n '_shtab_manyshim_using ci' -l write -d 'make the change (without this it is only printed)'
complete -c manyshim -n '_shtab_manyshim_using ci' -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n '_shtab_manyshim_using ci' -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using ci; and test $_shtab_manyshim_npos -eq 0' -ka "github gitlab" -d 'github or gitlab'
complete -c manyshim -n '_shtab_manyshim_using ci; and test $_shtab_manyshim_npos -eq 1' -ka "(__fish_complete_directories)" -d 'the folder of the project (default: the current one)'
complete -c manyshim -n '_shtab_manyshim_using; and test $_shtab_manyshim_npos -eq 0' -a explain -d 'explain kinds of findings: the meaning, an example and the fix'
complete -c manyshim -n '_shtab_manyshim_using explain' -s h -l help -d 'show this help message and exit'
complete -c manyshim -n '_shtab_manyshim_using explain' -l json -d 'print JSON'
complete -c manyshim -n '_shtab_manyshim_using explain' -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n '_shtab_manyshim_using explain' -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using explain; and test $_shtab_manyshim_npos -ge 0' -ka "TOO_NEW EXTERNAL_LIBRARY FORBIDDEN_SYMBOL UNKNOWN_NAMESPACE BY_NAME_ONLY ISA ELF_CORRUPT WRONG_ABI WRONG_OS MIXED_ARCH MIXED_LIBC NEEDED_PATH VERDEF_MISSING LIBPYTHON MUSL_UNDEFINED ELF_IN_PURE_WHEEL DUP_MEMBER SYMLINK_MEMBER BAD_PATH EXECSTACK ABI3 FALSE_TAG INDEX_TAG TOO_LARGE METADATA FILE_NAME LICENSE_FILE ENTRY_POINTS DESCRIPTION ZIP_FRAMING INSTALL_PATH WRONG_PLATFORM MACOS_VERSION MISSING_SLICE MACOS_LIBRARY UNSIGNED WINDOWS_LIBRARY DEBUG_RUNTIME PYTHON_DLL CODE_CORRUPT SDIST INCOMPLETE_SET WHEEL_TAGS WHEEL_FILE UNUSABLE_TAG VC_RUNTIME NO_INIT SUFFIX UNDEFINED RPATH_LEAK TEXTREL VENDORED_SONAME_CLASH PAGE_ALIGN RECORD NO_ELF NO_MODULE ELF_DAMAGED MUSL_PATCH_LEVEL EXCLUDED DEVICE_CODE LIBC_ASSUMED STATIC_TLS COMMONLY_ABSENT WX_SEGMENT STATIC_OBJECT DUPLICATE_LIBRARY FLOAT_ABI_UNKNOWN" -d 'a kind of finding, such as TOO_NEW; without one, all kinds are listed'
complete -c manyshim -n '_shtab_manyshim_using; and test $_shtab_manyshim_npos -eq 0' -a policies -d 'list the policies, oldest first'
complete -c manyshim -n '_shtab_manyshim_using policies' -s h -l help -d 'show this help message and exit'
complete -c manyshim -n '_shtab_manyshim_using policies' -l json -d 'print JSON'
complete -c manyshim -n '_shtab_manyshim_using policies' -l arch -xka "aarch64 armv7l i686 loongarch64 ppc64 ppc64le riscv64 s390x x86_64" -d 'list one architecture only'
complete -c manyshim -n '_shtab_manyshim_using policies' -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n '_shtab_manyshim_using policies' -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using; and test $_shtab_manyshim_npos -eq 0' -a config -d 'list the options of a project'"'"'s builds, with their values and where they are set'
complete -c manyshim -n '_shtab_manyshim_using config' -s h -l help -d 'show this help message and exit'
complete -c manyshim -n '_shtab_manyshim_using config' -l json -d 'print JSON'
complete -c manyshim -n '_shtab_manyshim_using config' -s C -l config-setting -xka "manyshim.mode= manyshim.platform= manyshim.strict= manyshim.compiler= manyshim.project= manyshim.bundle= manyshim.exclude= manyshim.allow= manyshim.fix= manyshim.naming= manyshim.explain= manyshim.library-path= manyshim.sysroot= manyshim.python-headers= manyshim.compression-level= manyshim.strip= manyshim.trial= manyshim.sbom= manyshim.report=" -d 'a setting as you pass it to a build, e.g. manyshim.strict=true'
complete -c manyshim -n '_shtab_manyshim_using config' -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n '_shtab_manyshim_using config' -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using config; and test $_shtab_manyshim_npos -ge 0' -ka "(__fish_complete_directories)" -d 'the folder of a project, or its pyproject.toml'
complete -c manyshim -n '_shtab_manyshim_using; and test $_shtab_manyshim_npos -eq 0' -a completion -d 'print the script that completes commands and options in your shell'
complete -c manyshim -n '_shtab_manyshim_using completion' -s h -l help -d 'show this help message and exit'
complete -c manyshim -n '_shtab_manyshim_using completion' -l json -d 'print JSON'
complete -c manyshim -n '_shtab_manyshim_using completion' -l color -xka "auto always never" -d 'use colours: auto (on a terminal), always or never'
complete -c manyshim -n '_shtab_manyshim_using completion' -s q -l quiet -d 'print only errors'
complete -c manyshim -n '_shtab_manyshim_using completion; and test $_shtab_manyshim_npos -eq 0' -ka "bash zsh fish" -d 'bash, zsh or fish'
