"""How ringing somebody, or an operation, came out."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Result:
    """`resultInformation` of an event."""

    code: int
    sub_code: int
    message: str

    def wire(self) -> dict[str, object]:
        return {"code": self.code, "subCode": self.sub_code, "message": self.message}


class Outcome(Enum):
    """Why nobody answered. The codes are SIP's, the sub-codes as Microsoft's list of call end codes
    has them for telephone numbers; both unverified against the live service."""

    BUSY = Result(486, 560486, "The callee is busy.")
    DECLINED = Result(603, 560603, "The callee declined the call.")
    NO_ANSWER = Result(480, 560480, "The callee did not answer.")
    NOT_FOUND = Result(404, 560404, "The number is not assigned.")
    CANCELED = Result(487, 560487, "The call was canceled before it was answered.")


OK = Result(200, 0, "")
HUNG_UP = Result(200, 560000, "The conversation has ended.")
TRANSFERRED = Result(200, 7015, "The call was transferred.")
MEDIA_FAILED = Result(
    400, 8581, "Transport url is not valid or web socket server is not operational."
)
