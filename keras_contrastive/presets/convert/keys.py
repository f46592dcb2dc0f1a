"""Strict comparison of a checkpoint's keys with those that a network has."""

from collections.abc import Iterable, Mapping

Shapes = Mapping[str, tuple[int, ...]]

_SHOWN = 12  # of each kind; a wrong prefix would list hundreds


def check_keys(received: Shapes, expected: Shapes, what: str) -> None:
    """Refuse keys that are missing, unexpected or of another shape.

    Args:
        received: Name -> shape in the checkpoint.
        expected: Name -> shape that the network has.
        what: The network, for the message.

    Raises:
        ValueError: With all of them, up to 12 a kind.

    Example:

    >>> check_keys({"a": (2,), "c": (1,)}, {"a": (3,), "b": (1,)}, "a net")
    Traceback (most recent call last):
    ValueError: Expected the 2 keys of a net. Received: 1 missing: b; 1 unexpected: c; 1 of
    another shape: a (2,) for (3,). Check `source` ...
    """
    missing = [name for name in expected if name not in received]
    unexpected = [name for name in received if name not in expected]
    misshapen = [
        f"{name} {received[name]} for {shape}"
        for name, shape in expected.items()
        if name in received and tuple(received[name]) != tuple(shape)
    ]
    found = {"missing": missing, "unexpected": unexpected, "of another shape": misshapen}
    if any(found.values()):
        lists = "; ".join(f"{len(k)} {kind}: {listed(k)}" for kind, k in found.items() if k)
        raise ValueError(
            f"Expected the {len(expected)} keys of {what}. Received: {lists}. Check `source` (on "
            f"the command line, --from), or convert the network's own state_dict()."
        )


def listed(names: Iterable[str]) -> str:
    """Names with commas, the first dozen of them."""
    names = list(names)
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest
