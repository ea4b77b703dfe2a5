"""What botocore and the amazon provider find out anew for each client, found out once.

A process of the tests makes thousands of clients, each in a session of its own as a task would have
it. That clients share nothing is not what the tests are about, but it takes half of the CPU time of
their process.
"""

import inspect
from functools import cache, partial
from typing import Any

import botocore.compat
import botocore.hooks
import botocore.loaders
import botocore.session
from botocore.httpsession import URLLib3Session, create_urllib3_context


def share() -> None:
    """Let all sessions that this process makes from now on share what does not differ."""
    botocore.session.create_loader = _loader
    URLLib3Session._get_ssl_context = _ssl_context
    botocore.hooks.accepts_kwargs = _accepts_kwargs
    # The provider looks at the stack for the name of each hook's operator, not for its source.
    inspect.stack = partial(inspect.stack, 0)


_loader_of = cache(botocore.loaders.create_loader)


def _loader(search_path: str | None = None) -> botocore.loaders.Loader:
    """Give the one loader, which keeps the models of the services that it has read."""
    loader = _loader_of(search_path)
    # Each session of boto3 adds its own path once more.
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)
    return loader


_new_ssl_context = URLLib3Session._get_ssl_context
_default_ssl_context = cache(create_urllib3_context)


def _ssl_context(session: URLLib3Session) -> Any:
    """Share the context of those that trust what all trust and show no certificate."""
    if session._verify is True and session._cert_file is None:
        return _default_ssl_context()
    return _new_ssl_context(session)


def _accepts_kwargs(function: Any) -> bool:
    """Do what botocore's own does, without a signature for each of a session's 150 handlers."""
    code = getattr(function, "__code__", None)
    if code is None:
        return bool(botocore.compat.accepts_kwargs(function))
    return bool(code.co_flags & inspect.CO_VARKEYWORDS)
