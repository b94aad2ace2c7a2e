"""Every error pgencoder raises on purpose.

    PgencoderError
    ├── DatabaseError            the server is not as it must be
    │   ├── ConnectionFailed     nothing answers at the URL
    │   ├── UnsupportedServer    Postgres or pgvector is too old, or pgvector is absent
    │   ├── MissingRights        the role may not do what was asked
    │   ├── NotMigrated          the schema is absent or of another version
    │   └── NativeUnavailable    the C extension cannot be compiled, installed or used
    ├── CollectionError          a collection or its source table
    │   ├── UnknownCollection
    │   ├── CollectionExists
    │   ├── UnknownGeneration
    │   ├── GenerationIncomplete searches would lose rows if they used it
    │   └── InvalidSource        no such table or column, no primary key, not a table
    ├── EncoderError             a model
    │   ├── ModelNotFound
    │   ├── UnknownEncoder       an object of the user's that this process does not have
    │   ├── UntrainedModel       raw averages asked for without saying so
    │   ├── InvalidEncoding      an encoder returned something that cannot be stored
    │   └── FingerprintMismatch  vectors of another model
    └── InvalidRequest           an argument that cannot be served

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


class CollectionError(PgencoderError):
    """Something is wrong with a collection or its source table."""


class UnknownCollection(CollectionError):
    """There is no collection of that name."""


class CollectionExists(CollectionError):
    """There is already a collection of that name."""


class UnknownGeneration(CollectionError):
    """The collection has no such generation."""


class GenerationIncomplete(CollectionError):
    """The generation lacks rows that the active one has."""


class InvalidSource(CollectionError):
    """The source table cannot be attached."""


class EncoderError(PgencoderError):
    """A model cannot be used."""


class ModelNotFound(EncoderError):
    """The checkpoint cannot be loaded."""


class UnknownEncoder(EncoderError):
    """The encoder is an object of the user's that this process does not have."""


class UntrainedModel(EncoderError):
    """The checkpoint has no trained sentence head."""


class InvalidEncoding(EncoderError):
    """An encoder returned something that cannot be stored."""


class FingerprintMismatch(EncoderError):
    """Vectors of two different encoders were about to be compared."""


class InvalidRequest(PgencoderError, ValueError):
    """An argument that cannot be served."""
