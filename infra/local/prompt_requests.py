"""Close connections whose request does not begin in time."""

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS: Final = 10
"""How long a new connection may take to send the line and the headers of a request, and a kept one from their first
byte on."""
KEPT_SECONDS: Final = 7
"""How long a connection is kept between requests: longer than clients use one again. Browsers do so for longer, but
repeat what fails; httpx does so for five seconds, uvicorn's default too, and does not."""


class PromptRequests(H11Protocol):
    """The protocol of one connection; uvicorn itself waits for headers for ever."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        """Start the clock, unless it runs, while headers are missing; stop it once they are there."""
        if self.conn.their_state is not h11.IDLE:
            self._forget_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
