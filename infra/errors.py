"""What a command says when it can't do its work.

OperatorError        the operator can mend it; the message says how
└── ClusterProblem   the Kafka cluster is away, or its topics are not as declared
    └── NoAnswer     no broker answers
"""


class OperatorError(Exception):
    """Shown as one line, exit status 1."""


class ClusterProblem(OperatorError):
    """The Kafka cluster can't be reached or differs from the topic files."""


class NoAnswer(ClusterProblem):
    """No broker answers; says where and what to do."""
