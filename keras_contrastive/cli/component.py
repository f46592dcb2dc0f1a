"""Parts that a recipe names: a class or function of this package, and its arguments."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Self

_COLLECTED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Component:
    """A name and the arguments that go with it; in YAML either `simclr` or a mapping.

    Args:
        name: Name of a public class or function, in any case: `simclr` for `SimCLR`.
        arguments: Keyword arguments. A mapping with a `name` among them is a component too.

    Example:

    >>> Component.parse({"name": "small_resnet", "width": 0.5}, "encoder")
    Component(name='small_resnet', arguments={'width': 0.5})
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: Any, section: str) -> Self:
        """Read a component from a recipe's `section`: its name, or a mapping with a `name`."""
        if isinstance(value, str):
            return cls(value)
        if isinstance(value, Mapping) and isinstance(value.get("name"), str):
            return cls(value["name"], {k: v for k, v in value.items() if k != "name"})
        raise ValueError(
            f"Expected `{section}` to be a name, or a mapping with a `name` and arguments. "
            f"Received: {value!r}. Write for example `{section}: {{name: ...}}`."
        )

    def to_value(self) -> str | dict[str, Any]:
        """What `parse` reads."""
        return {"name": self.name, **self.arguments} if self.arguments else self.name

    def find(self, section: str, *modules: ModuleType) -> Callable[..., Any]:
        """The class or function of that name, with every given argument known to it."""
        target = find(self.name, section, *modules)
        check_keys(self.arguments, _parameters(target), f"{section}.{self.name}")
        return target


def find(name: str, section: str, *modules: ModuleType) -> Callable[..., Any]:
    """The public callable `name` of the first of `modules` that has it, whatever the case.

    Raises:
        ValueError: On an unknown name, with the nearest ones.
    """
    known: dict[str, Callable[..., Any]] = {}
    for module in modules:
        public = getattr(module, "__all__", None) or dir(module)
        for key in public:
            if callable(getattr(module, key)):
                known.setdefault(key.lower(), getattr(module, key))
    if name.lower() not in known:
        names = [target.__name__ for target in known.values()]
        raise ValueError(
            f"Expected `{section}` to name one of: {', '.join(sorted(names))}. "
            f"Received: {name!r}.{did_you_mean(name, names)}"
        )
    return known[name.lower()]


def _parameters(target: Callable[..., Any]) -> list[str]:
    """Names of the arguments; of a class that passes some on, also those of its bases."""
    own = inspect.signature(target).parameters.values()
    sources: list[Callable[..., Any]] = [target]
    if inspect.isclass(target) and any(p.kind is p.VAR_KEYWORD for p in own):
        sources = [base for base in inspect.getmro(target) if base is not object]
    names: dict[str, None] = {}
    for source in sources:
        parameters = inspect.signature(source).parameters.values()
        names |= dict.fromkeys(p.name for p in parameters if p.kind not in _COLLECTED)
    return list(names)


def check_keys(given: Iterable[str], known: Iterable[str], section: str) -> None:
    """Refuse keys that nobody reads.

    Raises:
        ValueError: On an unknown key, with the nearest known ones.
    """
    known = list(known)
    for key in given:
        if key not in known:
            raise ValueError(
                f"Expected only known keys in `{section}`: {', '.join(known)}. "
                f"Received: {key!r}.{did_you_mean(key, known)}"
            )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence with the nearest of the known words, or nothing if none is near."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(word).lower(), by_lower, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(repr(by_lower[n]) for n in near)}?" if near else ""
