"""Whatever holds one number a sample, as float64; whatever is one number, as a float."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

# Precision of the type that the numbers came in: it says how far apart values can be and still be equal but for
# rounding. Anything narrower than float32 counts as float32: its own steps are so wide that values which differ at all
# differ by more than the tolerance, so only equal ones are taken for equal.
FLOAT64_EPSILON = 2.0**-52
FLOAT32_EPSILON = 2.0**-23
_NARROW = ("float32", "float16", "bfloat16", "float8")

Samples = Any
"""A torch tensor (any device and type), a numpy array, a polars or pandas series, a list, or any iterable of numbers."""


def as_floats(name: str, values: Samples) -> tuple[array[float], float]:
    """The values as float64 in the order given, and the precision (spacing at 1) of the type that they came in.

    One number a sample: shape (n,) or (n, 1). None (a null) is NaN. Tensors are detached and copied to the CPU.

    Raises ValueError, beginning with ``name``, for any other shape, text, or something that is not a number.

    >>> as_floats("y_true", [[1], [2.5]])[0].tolist()
    [1.0, 2.5]
    """
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise ValueError(f"{name}: expected numbers, one a sample; found {type(values).__name__}")
    values = _on_the_host(values)
    _check_shape(name, getattr(values, "shape", None))
    narrow = any(kind in str(getattr(values, "dtype", "")).lower() for kind in _NARROW)
    items = _items(values)
    try:
        if set(map(type, items)) <= {int, float}:  # the usual case, at the speed of the interpreter's own loop
            floats = array("d", items)
        else:
            floats = array("d", (_item(name, index, item) for index, item in enumerate(items)))
    except OverflowError:
        raise ValueError(f"{name}: a whole number beyond the range of float64") from None
    return floats, FLOAT32_EPSILON if narrow else FLOAT64_EPSILON


def as_number(name: str, value: Any) -> float | int | None:
    """One number: an int or float as it is, a tensor or array of one element as its value, None as None.

    Raises ValueError, beginning with ``name``, for anything else.

    >>> as_number("lr", 0.001), as_number("lr", None)
    (0.001, None)
    """
    if value is None or (isinstance(value, int | float) and type(value) in (int, float)):
        return value
    found = value
    if hasattr(found, "item") and callable(found.item):
        try:
            found = found.item()
        except (ValueError, RuntimeError, TypeError):  # numpy and torch say so where there is not one element
            shape = getattr(value, "shape", None)
            raise ValueError(f"{name}: expected one number, found values of shape {_shape(shape)}") from None
    elif hasattr(found, "numpy") and callable(found.numpy):
        return as_number(name, found.numpy())
    if isinstance(found, int | float):
        return float(found) if isinstance(found, float) else int(found)
    raise ValueError(f"{name}: expected one number, found {found!r:.60}")


def _on_the_host(values: Any) -> Any:
    """The values where Python can read them: a tensor that takes part in a graph or lies on a device is copied."""
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        return values.detach().cpu()
    if not hasattr(values, "tolist") and callable(getattr(values, "numpy", None)):
        return values.numpy()
    return values


def _check_shape(name: str, shape: Any) -> None:
    if shape is None:
        return
    sizes = _shape(shape)
    if len(sizes) == 1 or (len(sizes) == 2 and sizes[1] == 1):
        return
    raise ValueError(f"{name}: expected shape (n,) or (n, 1), found {sizes}")


def _shape(shape: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in shape) if shape is not None else ()


def _items(values: Any) -> list[Any]:
    for method in ("tolist", "to_list"):
        if callable(getattr(values, method, None)):
            return list(getattr(values, method)())
    return list(values)


def _item(name: str, index: int, item: Any) -> float:
    """One sample's number: alone, or alone in a row of its own."""
    if item is None:
        return float("nan")
    if isinstance(item, int | float):
        return float(item)
    if isinstance(item, list | tuple):
        if len(item) != 1:
            raise ValueError(f"{name}: expected one number a sample, found {len(item)} values in sample {index}")
        return _item(name, index, item[0])
    try:
        number = as_number(name, item)
    except ValueError as problem:
        hint = "; hand batches to log.batch one by one" if getattr(item, "shape", ()) != () else ""
        raise ValueError(f"{problem} in sample {index}{hint}") from None
    return float("nan") if number is None else float(number)
