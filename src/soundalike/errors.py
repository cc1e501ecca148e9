"""Errors that a user can put right, by kind.

    SoundalikeError
    ├── InputError                     something the user gave cannot be used
    │   ├── AudioError                   a clip
    │   ├── LibraryError                 a music folder or its table
    │   └── PlaylistError                a playlist file, or what a playlist should be like
    ├── UnknownNameError               a name that does not exist
    │   ├── UnknownTrackError            a track
    │   └── UnknownRepresentationError   a representation
    ├── StoredDataError                stored data are missing, damaged or do not fit
    │   ├── IndexFolderError             an index
    │   ├── ModelError                   a model file
    │   └── VotesError                   the database of votes
    ├── DestinationError               a folder cannot be written to
    ├── MissingPackageError            an optional package is not installed
    └── UnavailableError               a service does not answer or has no capacity
        ├── BusyError                    this server
        ├── SchedulerError               a cluster
        └── FetchError                   a download

A message is one sentence or two on one line: what is wrong and what to do about it. The command line
prints it and exits with 1; the app shows it in place of a result.
"""

import zipfile

DAMAGED_ARRAYS = (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile)
"""What NumPy raises on array files that are missing, cut short, overwritten or of another kind."""


class SoundalikeError(Exception):
    """Something a user can put right."""


class InputError(SoundalikeError):
    """Something the user gave cannot be used."""


class AudioError(InputError):
    """A clip that cannot be decoded, or that is outside the limits."""


class LibraryError(InputError):
    """A folder of music or its table that cannot be used."""


class PlaylistError(InputError):
    """A playlist file that cannot be read, or a playlist that cannot be made as requested."""


class UnknownNameError(SoundalikeError):
    """A name that does not exist."""


class UnknownTrackError(UnknownNameError):
    """A track that the library does not have."""


class UnknownRepresentationError(UnknownNameError):
    """A representation name that is not in the registry or not in the index."""


class StoredDataError(SoundalikeError):
    """Stored data that are missing, damaged or do not fit."""


class IndexFolderError(StoredDataError):
    """An index folder that is missing, incomplete or does not fit the models."""


class ModelError(StoredDataError):
    """A model file that is missing, damaged or of another shape than expected."""


class VotesError(StoredDataError):
    """A database of votes that cannot be read or written."""


class DestinationError(SoundalikeError):
    """A folder that cannot be written to, or that holds something which is not ours."""


class MissingPackageError(SoundalikeError):
    """An optional package that is not installed."""


class UnavailableError(SoundalikeError):
    """A service that does not answer or has no capacity."""


class BusyError(UnavailableError):
    """More requests at once than this server takes."""


class SchedulerError(UnavailableError):
    """A cluster that cannot be used."""


class FetchError(UnavailableError):
    """A download that cannot be made, finished or trusted."""
