"""Why a snapshot answers as it does: what its layers hold, what speaks for an answer, and what it would like to see."""
