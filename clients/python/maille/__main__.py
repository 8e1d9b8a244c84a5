"""python3 -m maille: what is found where."""
from .program import sitrep

print(sitrep())
