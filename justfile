# Shortcuts; every one only calls the command of the project.
run:
    ./lianfang demo
test *words:
    ./lianfang test {{words}}
check:
    ./lianfang check
fix:
    .venv/bin/ruff format . && .venv/bin/ruff check --fix .
bench *names:
    ./lianfang bench {{names}}
fsck:
    ./lianfang fsck
