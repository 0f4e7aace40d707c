"""Values as bytes, driven by what a function says it returns. No pickle: nothing here runs code."""

from __future__ import annotations

from typing import Any

import msgspec
from django.utils.safestring import SafeString

NONE, TEXT, HTML, MSGPACK, BYTES = range(5)


class Uncacheable(TypeError):
    """A value, or a type, that cannot be stored."""


class Codec:
    """Encode and decode the values of one return annotation.

    Dataclasses, msgspec Structs, TypedDicts, lists, dicts, tuples, str, bytes, SafeString, dates,
    UUID, Decimal, enums and None travel; models and querysets do not. Raises Uncacheable for an
    annotation that cannot be read back.
    """

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation
        if annotation in {str, bytes, SafeString, None, type(None)}:
            return
        # Without a dec_hook msgspec meets a class it does not know only when it decodes: too late.
        if unknown := _unknown_type(msgspec.inspect.type_info(annotation)):
            raise Uncacheable(f"{unknown.__qualname__} cannot be read back from the cache")
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(annotation)

    def encode(self, value: object) -> tuple[int, bytes]:
        """Return codec and payload, or raise Uncacheable.

        What would come back different (a tuple where a list was promised, a UUID inside a
        `dict[str, object]`) is refused, so that a hit equals a computation.
        """
        if value is None:
            return NONE, b""
        if self._annotation is SafeString and isinstance(value, SafeString):
            return HTML, _utf8(value)
        # Not a subclass: safe text would come back as text that is escaped.
        if self._annotation is str and type(value) is str:
            return TEXT, _utf8(value)
        if self._annotation is bytes and isinstance(value, bytes):
            return BYTES, value
        return MSGPACK, self._encode_typed(value)

    def decode(self, codec: int, payload: bytes) -> Any:
        """Return the value. Raises ValueError if these bytes are no value of this annotation."""
        if codec == NONE:
            return None
        if codec == HTML and self._annotation is SafeString:
            return SafeString(payload, "utf-8")  # it was safe when it was stored
        if codec == TEXT and self._annotation is str:
            return payload.decode()
        if codec == BYTES and self._annotation is bytes:
            return payload
        if codec == MSGPACK and hasattr(self, "_decoder"):
            try:
                return self._decoder.decode(payload)
            except Exception as error:  # a __post_init__ may raise anything
                raise ValueError(str(error)) from error
        raise ValueError(f"codec {codec} does not fit {self._annotation}")

    def _encode_typed(self, value: object) -> bytes:
        if not hasattr(self, "_encoder"):
            raise Uncacheable(f"{type(value).__qualname__} is not {self._annotation}")
        try:
            payload = self._encoder.encode(value)
            back = self._decoder.decode(payload)
            same = type(back) is type(value) and bool(back == value)
        except Exception as error:  # so may an __eq__ or an __iter__
            raise Uncacheable(str(error)) from error
        if not same:
            raise Uncacheable("the value would come back different")
        return payload


def _utf8(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:  # half a character: a name of a file may have one
        raise Uncacheable(str(error)) from error


def _unknown_type(info: object) -> type | None:
    """Return the first class inside a type that msgspec has no rule for."""
    todo, seen = [info], set()
    while todo:
        item = todo.pop()
        if isinstance(item, msgspec.inspect.CustomType) and item.cls is not object:
            return item.cls
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, list | tuple):
            todo.extend(item)
        elif isinstance(item, msgspec.inspect.Type | msgspec.inspect.Field):
            todo.extend(getattr(item, name) for name in item.__struct_fields__)
    return None
