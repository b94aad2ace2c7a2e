"""Every error that pgencoder raises on purpose.

    PgencoderError
    ├── DatabaseError            the server is not as it must be
    │   ├── ConnectionFailed     nothing answers at the URL
    │   ├── UnsupportedServer    Postgres or pgvector is too old, or pgvector is absent
    │   ├── MissingRights        the role may not do what was asked
    │   ├── NotMigrated          the schema is absent or of another version
    │   ├── NativeUnavailable    the C extension cannot be compiled, installed or used
    │   └── InUse                other sessions hold a lock for too long
    ├── CollectionError          something is wrong with a collection or its source table
    │   ├── UnknownCollection
    │   ├── CollectionExists     there is one of that name, or something else has a name that it needs
    │   ├── UnknownGeneration
    │   ├── GenerationIncomplete searches would lose rows if they used it
    │   ├── GenerationConflict   this one is active
    │   ├── UnknownRepresentation
    │   ├── NotEncoded           there is no such passage, or none that the role may see
    │   ├── Outdated             something has changed or was dropped since the search
    │   ├── HasDependents        objects of users depend on what was to be dropped
    │   └── InvalidSource        no such table or column, no primary key, not a table
    ├── EncoderError             a model cannot be used
    │   ├── ModelNotFound
    │   ├── EncoderUnavailable   its service does not answer, or refuses this client
    │   ├── UnknownEncoder       this process does not have it, and cannot load it
    │   ├── UntrainedModel       it has no trained sentence head, and this was not allowed
    │   ├── InvalidEncoding      an encoder returned something that cannot be stored
    │   └── FingerprintMismatch  vectors of another model
    ├── MachineError             something is wrong with this machine
    │   ├── MissingExtra         an optional package is not installed; also an ImportError
    │   ├── UnsuitablePlatform   its system or its user cannot run the embedded server
    │   ├── PortUnavailable      a port is in use, or may not be opened
    │   └── DiskFull             temporary files do not fit
    └── InvalidRequest           an argument or a call is wrong; also a ValueError

Each message is one line that says what to do.
"""


class PgencoderError(Exception):
    """The root of all errors of this package."""


class DatabaseError(PgencoderError):
    """The server is not as it must be."""


class ConnectionFailed(DatabaseError):
    """Nothing answers at the database URL."""


class UnsupportedServer(DatabaseError):
    """Postgres or pgvector is too old, or pgvector is absent."""


class MissingRights(DatabaseError):
    """The role may not do what was asked."""


class NotMigrated(DatabaseError):
    """The pgencoder schema is absent or of another version."""


class NativeUnavailable(DatabaseError):
    """The extension pgencoder_native cannot be compiled, installed or used."""


class InUse(DatabaseError):
    """Other sessions hold a lock for too long; the message names them."""


class CollectionError(PgencoderError):
    """Something is wrong with a collection or its source table."""


class UnknownCollection(CollectionError):
    """There is no collection of that name."""


class CollectionExists(CollectionError):
    """There is already a collection of that name, or something else has a name that it needs."""


class UnknownGeneration(CollectionError):
    """The collection has no such generation."""


class GenerationIncomplete(CollectionError):
    """The generation lacks rows that the active one has."""


class GenerationConflict(CollectionError):
    """The generation is active."""


class UnknownRepresentation(CollectionError):
    """The process lacks the class of a representation that a generation stores."""


class NotEncoded(CollectionError):
    """There is no such passage, or none that the role may see: rows are gone or not encoded yet."""


class Outdated(CollectionError):
    """Something has changed or was dropped since the search."""


class HasDependents(CollectionError):
    """Objects of users depend on what was to be dropped; the message names them."""


class InvalidSource(CollectionError):
    """The source table cannot be attached."""


class EncoderError(PgencoderError):
    """A model cannot be used."""


class ModelNotFound(EncoderError):
    """The checkpoint cannot be loaded."""


class EncoderUnavailable(EncoderError):
    """The service of an encoder does not answer, or refuses this client: the texts are not to blame.

    Workers try later, and count no attempt of a row. `retry_after` says in how many seconds, if the service does.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnknownEncoder(EncoderError):
    """The process does not have the encoder, and no loader is registered for its kind."""


class UntrainedModel(EncoderError):
    """The checkpoint has no trained sentence head."""


class InvalidEncoding(EncoderError):
    """An encoder returned something that cannot be stored."""


class FingerprintMismatch(EncoderError):
    """The vectors are of another encoder than the stored ones."""


class MachineError(PgencoderError):
    """Something is wrong with this machine."""


class MissingExtra(MachineError, ImportError):
    """An optional package is not installed."""


class UnsuitablePlatform(MachineError):
    """The operating system or the user cannot run the embedded server."""


class PortUnavailable(MachineError):
    """A port is in use, or may not be opened."""


class DiskFull(MachineError):
    """Temporary files do not fit on the disk."""


class InvalidRequest(PgencoderError, ValueError):
    """An argument is wrong, or the call is not possible here."""
