"""The errors that a user can mend: each says what is wrong and what to change."""


class LastmileError(Exception):
    """Something the user gave, or their machine, stands in the way; the command line prints it and exits 1.

    The message names the field, shows the value and states the rule. The hint says what to change.
    Neither ever holds a secret. Any other exception that reaches the command line is a bug of ours.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message
