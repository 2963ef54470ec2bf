"""The retry delays and lifetimes of messages in the ingest queue, defined once.

The infrastructure, the ingest handler, the operator's commands, the tests and the documentation read them here.
"""

from dataclasses import dataclass
from typing import Final

from shared.domain.limits import BATCH_MESSAGES, MAX_RECEIVES, SUBPROCESS_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTimes:
    """Times of a queue that feeds a function, in whole seconds except for the two in days.

    Attributes:
        function_seconds: the function's timeout.
        max_receives: number of receives after which a message goes to the dead-letter queue.
        first_retry_seconds: delay after the first reported failure; it doubles with each receive.
        longest_retry_seconds: maximum of that delay.
        retention_days: how long the queue keeps a message.
        dead_letter_days: how long the dead-letter queue keeps a message.
    """

    function_seconds: int
    max_receives: int
    first_retry_seconds: int = 10
    longest_retry_seconds: int = 15 * 60
    retention_days: int = 4
    dead_letter_days: int = 14

    @property
    def visibility_seconds(self) -> int:
        """Delay, counted from the receive, after a failure that the function did not survive to report.

        Six times the timeout: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        """
        return 6 * self.function_seconds

    def retry_seconds(self, receives: int) -> int:
        """Return the delay after a reported failure.

        Args:
            receives: number of times that the message has been received, 1 or more.
        """
        return int(min(self.first_retry_seconds * 2 ** (receives - 1), self.longest_retry_seconds))

    @property
    def longest_life_seconds(self) -> int:
        """Upper bound of the time from sending a message to its last attempt, if no attempt survives to report.

        One visibility timeout is added for the waits before the first receive and between receives.
        """
        return (self.max_receives + 1) * self.visibility_seconds

    @property
    def retried_age_seconds(self) -> int:
        """Upper bound of `ApproximateAgeOfOldestMessage` for one retried message.

        The metric omits a message that was received three times and not deleted, so it covers at most two attempts that
        die unreported and the third attempt:
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        """
        return 2 * self.visibility_seconds + self.function_seconds


INGEST_QUEUE: Final = QueueTimes(function_seconds=BATCH_MESSAGES * SUBPROCESS_SECONDS + 20, max_receives=MAX_RECEIVES)
"""The function's timeout suffices for a batch whose messages run one after the other, each in its own process for the
maximum time."""

COUNTS_SETTLE_SECONDS: Final = 2 * 60
"""Time without a change after which the queue's counts are trusted; SQS documents that they lag by at least a minute:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html"""
