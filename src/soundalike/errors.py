"""The one exception type whose message is written for the person in front of the screen."""

import zipfile

DAMAGED_ARRAYS = (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile)
"""What NumPy raises on array files that are missing, cut short, overwritten or of another kind."""


class SoundalikeError(Exception):
    """Something a user can put right.

    The message is one sentence or two on one line: what is wrong and what to do about it. The
    command line prints it and exits with 1, the app shows it in place of a result.
    """


class AudioError(SoundalikeError):
    """A clip that cannot be decoded, or that is outside the limits."""


class LibraryError(SoundalikeError):
    """A folder of music or its table that cannot be used."""


class ModelError(SoundalikeError):
    """A model file that is missing, damaged or of another shape than expected."""


class IndexFolderError(SoundalikeError):
    """An index folder that is missing, incomplete or does not fit the models at hand."""


class UnknownRepresentationError(SoundalikeError):
    """A representation name that is not in the registry or not in the index."""


class VotesError(SoundalikeError):
    """A database of votes that cannot be read or written."""


class PlaylistError(SoundalikeError):
    """A playlist that cannot be made as asked."""


class BusyError(SoundalikeError):
    """More is asked for at once than can be served."""


class SchedulerError(SoundalikeError):
    """A cluster that cannot be used."""


class FetchError(SoundalikeError):
    """A download that cannot be made, finished or trusted."""
