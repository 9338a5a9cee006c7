"""Runs a program of Python, and says afterwards which files it opened, its modules among them."""

import os.path
import runpy
import sys

opened = set()


def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.add(arguments[0])


sys.addaudithook(hook)
del sys.argv[0]
sys.path[0] = os.path.dirname(sys.argv[0])
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit:
    pass
# What was imported before the hook opened nothing that it saw.
for module in list(sys.modules.values()):
    opened.update(getattr(module, name, None) or "" for name in ("__file__", "__cached__"))
print("", *opened, sep="\0", file=sys.stderr)
