import os

# Threads that wait for work spin, by GNU OpenMP's default for milliseconds; two processes on the same cores (the page
# and a job) then take ten times as long as one. 2,000 turns cost nothing alone; see CONTRIBUTING. Read with libgomp.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
