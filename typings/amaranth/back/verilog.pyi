# Amaranth makes ports and signals at run time and ships no types: to the checker everything of it is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
