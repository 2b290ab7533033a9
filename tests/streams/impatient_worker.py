"""`evcs streams` in a group that does without members which have not fetched for three seconds. Run by the tests."""

import sys

import faust

from streams import worker
from streams.settings import StreamsSettings

FETCHES_WITHIN_S = 3.0

_make_app = worker.make_app


def _impatient(settings: StreamsSettings) -> faust.App:
    app = _make_app(settings)
    app.conf.broker_max_poll_interval = FETCHES_WITHIN_S
    return app


if __name__ == "__main__":
    worker.make_app = _impatient
    sys.exit(worker.run(StreamsSettings.from_env()))
