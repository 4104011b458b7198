"""The target's Python: headers, pyconfig.h and sysconfig."""
