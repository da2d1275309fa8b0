"""A design's text is sent as it is, and no two requests share a good key, or they would all be one."""
import itertools

import schemathesis

numbers = itertools.count()


@schemathesis.serializer("application/toml", "application/octet-stream")
def as_it_is(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.hook
def before_call(ctx, case, kwargs):
    headers = case.headers or {}
    if 1 <= len(str(headers.get("Idempotency-Key", ""))) <= 255:
        headers["Idempotency-Key"] = f"key-{next(numbers)}"
