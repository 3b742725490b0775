"""Types of Taiwan: national ids, Republic of China dates, bank accounts."""
