"""The rules: functions that yield findings, in one module for each subject."""
