"""`python -m lockgate` is the command `lockgate`."""

from lockgate.main import main

main()
