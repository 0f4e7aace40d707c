"""The decorator for whole pages: `@cached_view`."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from inspect import iscoroutinefunction
from typing import Any, Concatenate, Generic, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from apps.caching import memo, transactions
from apps.caching.answering import obtain
from apps.caching.calls import NEVER_STALE, Call, Policy, Tags
from apps.caching.codecs import Codec
from apps.caching.engine import engine
from apps.caching.events import Counted, is_heard, tell
from apps.caching.fingerprints import code_fingerprint
from apps.caching.keys import canonical, short_hash
from apps.caching.learning import guesses
from apps.caching.page_requests import (
    Asked,
    BareRequest,
    Choices,
    chosen_cookies,
    chosen_parameters,
    strip,
    why_personal,
)
from apps.caching.page_responses import VARY, NotKept, Page, answer, as_page, why_not_kept
from apps.caching.stats import count

logger = logging.getLogger(__name__)
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
Vary = Callable[[HttpRequest], object]
NO_CHOICES: Choices = {}
# While developing, code and templates change under what is kept: each process starts without.
_THIS_PROCESS = secrets.token_hex(4)


views: dict[str, CachedView[Any]] = {}


class CachedView(Generic[P]):
    """A view whose page is kept for anonymous visitors. To all others it is the view itself."""

    def __init__(
        self,
        view: View[P],
        *,
        policy: Policy[Page],
        query: Choices,
        cookies: Choices,
        vary: Vary | None,
    ) -> None:
        if iscoroutinefunction(view):
            raise TypeError(f"{view!r} is async: cached_view is for views that are not")
        functools.update_wrapper(self, view)
        self.name = f"{view.__module__}.{view.__qualname__}"
        self.fresh = view
        self.policy = policy
        self._query, self._cookies, self._vary = query, cookies, vary
        self._refused: set[str] = set()
        views[self.name] = self

    def __call__(self, request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        """Answer with the common page if it will do for this request."""
        why = why_personal(request, engine().options.origins)
        if not why and transactions.changed_tags():
            why = "changed here"  # who has written reads his own writes
        parameters = None if why else chosen_parameters(request, self._query)
        if parameters is None:
            self._tell(f"past the cache: {why or 'query'}")
            return self._own(request, *args, **kwargs)
        asked = strip(request, parameters, chosen_cookies(request, self._cookies))
        try:
            return answer(self._page(asked, parameters, args, kwargs), request)
        except NotKept as refused:
            self._say(str(refused))
            if refused.response is None:
                return self._own(request, *args, **kwargs)
            patch_vary_headers(refused.response, VARY)
            return refused.response
        finally:
            asked.let_go()

    def call(self, request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> Call[Page] | None:
        """Name the page that an anonymous visitor gets for this request, without making it.

        None if its address is answered past the cache. For looking at, not for computing.
        """
        parameters = chosen_parameters(request, self._query)
        if parameters is None:
            return None
        asked = strip(request, parameters, chosen_cookies(request, self._cookies))
        return self._call(asked, parameters, args, kwargs)

    def __repr__(self) -> str:
        return f"<cached view {self.name}>"

    def _own(self, request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        response = self.fresh(request, *args, **kwargs)
        # Who keeps it must know that another visitor gets another.
        patch_vary_headers(response, VARY)
        return response

    def _page(
        self, asked: Asked, parameters: Mapping[str, str], args: Any, kwargs: dict[str, Any]
    ) -> Page:
        call = self._call(asked, parameters, args, kwargs)
        # The page is asked for once; what it is built from has a memory of its own.
        with memo.suspended():
            page = obtain(call)
        guesses.remember(call.digest, tuple(page.tags))
        return page

    def _call(
        self, asked: Asked, parameters: Mapping[str, str], args: Any, kwargs: dict[str, Any]
    ) -> Call[Page]:
        digest = short_hash(self._variant(asked) + canonical([parameters, list(args), kwargs]))
        declared = self._declared(args, kwargs)
        learner = PageTags(self, functools.partial(self._compute, asked, args, kwargs), declared)
        return learner.call(digest, guesses.recall(digest) or declared)

    def _variant(self, asked: Asked) -> bytes:
        """Return what pages of one address differ by."""
        varies = self._vary(BareRequest(asked)) if self._vary is not None else None
        return canonical(
            [
                self.name,
                code_fingerprint(self.fresh),
                _THIS_PROCESS if settings.DEBUG else "",
                f"{asked.environ['wsgi.url_scheme']}://{asked.environ['HTTP_HOST']}{asked.path}",
                translation.get_language() or "",
                timezone.get_current_timezone_name(),
                dict(asked.cookies),
                varies,
            ]
        )

    def _declared(self, args: Any, kwargs: dict[str, Any]) -> tuple[str, ...]:
        tags = self.policy.tags
        if callable(tags):
            return tuple(dict.fromkeys(tags(*args, **kwargs)))
        return tuple(tag.format_map(kwargs) for tag in tags)

    def _compute(
        self, asked: Asked, args: Any, kwargs: dict[str, Any], tags: tuple[str, ...]
    ) -> Page:
        """Compute the page by a request without a visitor. Raises NotKept."""
        request = BareRequest(asked)
        # All that the page remembers it has looked up since the versions of its tags were read.
        with memo.remembering():
            response = self.fresh(request, *args, **kwargs)
            render = getattr(response, "render", None)
            response = render() if callable(render) else response
        if why := request.why_personal():
            raise NotKept(f"it uses {why}")
        if (why := why_not_kept(response)) or not isinstance(response, HttpResponse):
            raise NotKept(why, response)
        return as_page(response, tags)

    def _say(self, why: str) -> None:
        count(self.name, "refused")
        self._tell(f"not kept: {why}")
        # A page that is gone is no mistake; one that needs its visitor is one in the code.
        if why not in self._refused and not why.startswith("its status"):
            self._refused.add(why)
            logger.warning("%r is not kept: %s", self, why)

    def _tell(self, what: str) -> None:
        if is_heard():
            tell(Counted(self.name, what, 1))


class PageTags:
    """The tags of one page, those it declares, and those it turns out to use."""

    def __init__(
        self, view: CachedView[Any], compute: Callable[..., Page], declared: tuple[str, ...]
    ) -> None:
        self._view = view
        self._compute = compute
        self._declared = declared
        self._used: tuple[str, ...] = ()

    def call(self, digest: str, tags: tuple[str, ...]) -> Call[Page]:
        return Call(
            name=self._view.name,
            policy=self._view.policy,
            codec=page_codec,
            digest=digest,
            tags=tags,
            compute=functools.partial(self._compute, tags),
            arguments=(),
            learner=self,
        )

    def note(self, used: frozenset[str]) -> None:
        self._used = tuple(sorted(used.union(self._declared)))

    def wider(self, call: Call[Any]) -> Call[Any] | None:
        return self.call(call.digest, self._used) if self._used else None

    def as_stored(self, call: Call[Any], value: Any) -> Call[Any] | None:
        tags = tuple(value.tags) if isinstance(value, Page) else call.tags
        if tags == call.tags or not set(self._declared).issubset(tags):
            return None
        return self.call(call.digest, tags)


@functools.cache
def page_codec() -> Codec:
    return Codec(Page)


def cached_view(  # noqa: PLR0913 - options by keyword
    *,
    timeout: timedelta,
    tags: Tags = (),
    query: Choices = NO_CHOICES,
    cookies: Choices = NO_CHOICES,
    vary: Vary | None = None,
    stale_for: timedelta = NEVER_STALE,
    refresh_ahead: bool | float | None = None,
) -> Callable[[View[P]], CachedView[P]]:
    """Keep the page that a view answers anonymous visitors with.

    `timeout`, `stale_for` and `refresh_ahead` as for `cached`. `tags`: those of the cached
    functions and widgets of the page come by themselves, those of its own queries by `uses`; name
    here what it depends on besides, formatted with the view's arguments. `query`: the parameters
    that the page looks at, each with all of its values; an address with others is answered past
    the cache, except for those that trackers add. `cookies`: the same for cookies. Other cookies
    and headers the view is not given. `vary`: a function of that request; what it returns is part
    of the key. Pages differ by scheme, host, path, language and time zone anyhow.

    Kept are answers 200 that set no cookie, touch no session, leave no message, use no csrf token
    and nothing else of the visitor, and do not forbid it by Cache-Control or Vary.
    """
    policy: Policy[Page] = Policy(
        timeout=timeout, tags=tags, stale_for=stale_for, refresh_ahead=refresh_ahead
    )

    def decorate(view: View[P]) -> CachedView[P]:
        return CachedView(view, policy=policy, query=query, cookies=cookies, vary=vary)

    return decorate
