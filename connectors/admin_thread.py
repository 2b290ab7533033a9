"""Health, readiness and metrics of a service that has the main thread, or its loop, for itself: on a thread of their
own, which never keeps the process."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connectors.admin import AdminApp
from connectors.ports import AdminAddress
from connectors.server import listen, server

log = logging.getLogger(__name__)

#: What the log says, with the address behind it.
LISTENS = "health and metrics at"

#: Whoever is still being answered when the service has ended is not waited for any longer, s.
_END_S = 2.0


@contextmanager
def admin_beside(
    address: AdminAddress, metrics: Callable[[], bytes], is_ready: Callable[[], bool]
) -> Iterator[str | None]:
    """Serves inside the block, and gives its URL; without a port nothing listens, and it is None. Both functions are
    called on the serving thread. Raises MisconfiguredService for a port that is taken."""
    if address.port is None:
        yield None
        return
    with listen(address.host, address.port, address.port_setting) as private:
        url = f"http://{address.host}:{private.getsockname()[1]}"
        admin = server(AdminApp(metrics, is_ready))
        serving = threading.Thread(target=lambda: asyncio.run(admin.serve([private])), name="admin", daemon=True)
        serving.start()
        log.info("%s %s", LISTENS, url)
        try:
            yield url
        finally:
            admin.should_exit = True
            serving.join(_END_S)
