"""Has something done that may take long, by a thread that nobody waits for at the end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

from proxy.errors import SecretUnavailableError
from proxy.secret import Secret


class OffLoop:
    """Reads a place by a thread of its own, one at a time.

    A thread of the loop's pool would hold up the end of the process, and a place that hangs would
    use up the pool.

    Args:
        read: takes its time; raises SecretError.
        what: names the place in messages.
        limit: seconds to wait for it.
        stop: ends what ``read`` waits for, where nobody wants it any more.
    """

    def __init__(
        self,
        read: Callable[[], Secret],
        what: str,
        limit: float,
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._read = read
        self._stop = stop
        self._what = what
        self._limit = limit
        self._thread: threading.Thread | None = None

    async def __call__(self) -> Secret:
        """What was read.

        Raises:
            SecretError: as ``read`` does.
            SecretUnavailableError: it took too long, or an earlier reading still does.
        """
        late = f"{self._what} did not answer within {self._limit:g} s; unlock it, or see to it"
        if self._thread is not None and self._thread.is_alive():
            raise SecretUnavailableError(late)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Secret] = loop.create_future()

        def work() -> None:
            try:
                value, error = self._read(), None
            except Exception as raised:  # noqa: BLE001 - it is raised again where it is awaited
                value, error = None, raised
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_settle, done, value, error)

        self._thread = threading.Thread(target=work, name=f"secret {self._what}", daemon=True)
        self._thread.start()
        try:
            async with asyncio.timeout(self._limit):
                return await done
        except TimeoutError:
            raise SecretUnavailableError(late) from None
        except asyncio.CancelledError:
            self._stop()
            raise


def _settle(done: asyncio.Future[Secret], value: Secret | None, error: Exception | None) -> None:
    if done.done():
        return
    if value is not None:
        done.set_result(value)
    else:
        done.set_exception(error or SecretUnavailableError("nothing was read"))
