"""Python as it is on the target: headers, pyconfig.h and sysconfig."""
