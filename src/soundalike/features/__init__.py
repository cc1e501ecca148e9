"""Classic signal processing: spectra, filter banks, descriptors and the acoustic fingerprint."""
