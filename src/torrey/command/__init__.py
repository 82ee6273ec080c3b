"""The command ``torrey``: what one asks before and after a run of the workflow.

It runs nothing that the workflow runs. Each command is a module with one function of its arguments,
which is imported when the command is called: the list of commands and their help load no library.
"""
