"""When a message of the ingest queue comes again, and how long it may live: the one definition of these times.

The infrastructure, the ingest handler, the operator's commands, the tests and the documentation read it.
"""

from dataclasses import dataclass
from typing import Final

from shared.domain.limits import BATCH_MESSAGES, MAX_RECEIVES, SUBPROCESS_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTimes:
    """Times of a queue that feeds a function. All are whole seconds, but for the two in days.

    Attributes:
        function_seconds: the function's timeout.
        max_receives: number of receives after which a message goes to the dead-letter queue.
        first_retry_seconds: wait after the first reported failure; it doubles with each receive.
        longest_retry_seconds: upper bound of that wait.
        retention_days: how long the queue keeps a message.
        dead_letter_days: how long the dead-letter queue does.
    """

    function_seconds: int
    max_receives: int
    first_retry_seconds: int = 10
    longest_retry_seconds: int = 15 * 60
    retention_days: int = 4
    dead_letter_days: int = 14

    @property
    def visibility_seconds(self) -> int:
        """Wait after a failure that the function did not live to report, from the receive on.

        Six times the timeout: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        """
        return 6 * self.function_seconds

    def retry_seconds(self, receives: int) -> int:
        """Wait after a reported failure.

        Args:
            receives: how often the message has been received, 1 or more.
        """
        return int(min(self.first_retry_seconds * 2 ** (receives - 1), self.longest_retry_seconds))

    def reported_seconds(self) -> list[int]:
        """Seconds from the first failure to each one, if every failure is reported at once: 0 first."""
        times = [0]
        for receives in range(1, self.max_receives):
            times.append(times[-1] + self.retry_seconds(receives))
        return times

    @property
    def longest_life_seconds(self) -> int:
        """Upper bound of the time from a message's send to its end, if every attempt dies unreported.

        One visibility timeout is added for the wait before the first receive and between the others.
        """
        return (self.max_receives + 1) * self.visibility_seconds

    @property
    def retried_age_seconds(self) -> int:
        """Upper bound of the age that one retried message shows in `ApproximateAgeOfOldestMessage`.

        The metric leaves out a message that was received three times and not deleted, so two attempts that die
        unreported and the start of the third are the most it shows:
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        """
        return 2 * self.visibility_seconds + self.function_seconds


INGEST_QUEUE: Final = QueueTimes(function_seconds=BATCH_MESSAGES * SUBPROCESS_SECONDS + 20, max_receives=MAX_RECEIVES)
"""The function's timeout is enough for a batch whose messages are each done in a process of their own, one after the
other, to the last second."""

COUNTS_SETTLE_SECONDS: Final = 2 * 60
"""After this long without a change the queue's counts are believed; SQS says that they take at least a minute:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html"""
