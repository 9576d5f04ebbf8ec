"""Every error that Rollcall raises on purpose.

    RollcallError
    ├── InvalidInput             what was sent cannot be used; the message says what to do
    │   ├── ImageRejected
    │   │   ├── ImageTooLarge        too many bytes or pixels
    │   │   ├── UnsupportedImage     not a JPEG, PNG or WebP picture
    │   │   └── BrokenImage          claims to be one, but cannot be decoded
    │   ├── PhotosRefused        no photo of an enrolment passed; carries the reviews
    │   └── ConsentMissing
    ├── Conflict
    │   ├── DuplicateEmployeeId
    │   ├── DuplicatePunch       the idempotency key or the cooldown slot is taken
    │   ├── FaceBelongsToAnother carries the person whose face it is
    │   └── PackMismatch         the stored templates come from another pack
    ├── NotFound
    │   ├── PersonNotFound
    │   └── TemplateNotFound
    ├── AccessDenied
    │   ├── Forbidden            known, but the role may not do this
    │   ├── WrongCredentials
    │   └── TooManyAttempts      carries the seconds to wait
    └── Unavailable              a part that should answer does not
        ├── StoreUnavailable
        ├── BackendUnavailable
        ├── Overloaded           the queue is full; carries the seconds to wait
        └── PackUnavailable

Messages are shown to people as they are: plain words, no personal data beyond what the reader sent,
and what to do next. Extra facts travel as attributes. The errors cross process borders, so every
constructor argument is kept in `args` and pickling gives the same error back.
"""

from __future__ import annotations


class RollcallError(Exception):
    """Root of the tree."""

    @property
    def message(self) -> str:
        """The sentence for the person who reads it."""
        return str(self.args[0]) if self.args else type(self).__name__

    def __str__(self) -> str:
        return self.message


class InvalidInput(RollcallError):
    """What was sent cannot be used."""


class ImageRejected(InvalidInput):
    """The bytes are not a picture that Rollcall takes."""


class ImageTooLarge(ImageRejected):
    """More bytes or pixels than the settings allow."""


class UnsupportedImage(ImageRejected):
    """Not JPEG, PNG or WebP."""


class BrokenImage(ImageRejected):
    """Looks like a picture, but is cut off or damaged."""


class PhotosRefused(InvalidInput):
    """No photo of an enrolment can become a template.

    `reviews` is a tuple of `ray_backend.domain.answers.PhotoReview`, one for each photo, in order.
    """

    def __init__(self, message: str, reviews: tuple = ()) -> None:
        super().__init__(message, reviews)
        self.reviews = reviews


class ConsentMissing(InvalidInput):
    """A face may not be stored before its owner agreed."""


class Conflict(RollcallError):
    """It contradicts what is stored."""


class DuplicateEmployeeId(Conflict):
    """Somebody else has this employee id."""


class DuplicatePunch(Conflict):
    """The idempotency key or the cooldown slot of a punch is taken."""


class FaceBelongsToAnother(Conflict):
    """The photo shows somebody who is enrolled under another employee id.

    `employee_id` and `name` say who.
    """

    def __init__(self, message: str, employee_id: str, name: str) -> None:
        super().__init__(message, employee_id, name)
        self.employee_id = employee_id
        self.name = name


class PackMismatch(Conflict):
    """The running pack is not the one that the site's templates were made with."""


class NotFound(RollcallError):
    """There is no such thing."""


class PersonNotFound(NotFound):
    """No person has this id."""


class TemplateNotFound(NotFound):
    """No template has this id."""


class AccessDenied(RollcallError):
    """Who asks may not do this."""


class Forbidden(AccessDenied):
    """Who asks is known, but may not do this."""


class WrongCredentials(AccessDenied):
    """The password or the token is not right."""


class TooManyAttempts(AccessDenied):
    """Signing in is locked for a while.

    `retry_after_s` is the time to wait in seconds.
    """

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message, retry_after_s)
        self.retry_after_s = retry_after_s


class Unavailable(RollcallError):
    """A part that should answer does not."""


class StoreUnavailable(Unavailable):
    """The database does not answer."""


class BackendUnavailable(Unavailable):
    """The Ray actors do not answer."""


class Overloaded(Unavailable):
    """More work waits than can be done in time; nothing of this request was done.

    `retry_after_s` is the time to wait in seconds.
    """

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message, retry_after_s)
        self.retry_after_s = retry_after_s


class PackUnavailable(Unavailable):
    """The models of a pack are neither here nor to be had."""
