# syntax=docker/dockerfile:1
# Build:  docker build -t souk .
# Run:    docker run -p 8000:8000 -e DATABASE_URL=postgres://... -e SOUK_JWT_SECRET=... souk
FROM rust:1.95-slim-bookworm AS build
WORKDIR /souk
# A separate layer for the dependencies, cached until Cargo.toml or Cargo.lock changes.
COPY Cargo.toml Cargo.lock ./
COPY macros macros
RUN mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && CARGO_PROFILE_RELEASE_STRIP=none cargo build --release --locked \
    && cargo clean --release --package souk \
    && rm -r src
COPY migrations migrations
COPY docs docs
COPY src src
# Debug symbols go into a separate file, which debuggers find by the debug link in the binary.
RUN CARGO_PROFILE_RELEASE_STRIP=none cargo build --release --locked \
    && cd target/release \
    && objcopy --only-keep-debug souk souk.debug \
    && objcopy --strip-all --add-gnu-debuglink=souk.debug souk \
    && mkdir /data

# `docker build --target symbols --output . .` writes souk.debug.
FROM scratch AS symbols
COPY --from=build /souk/target/release/souk.debug /

# The base image contains glibc but no shell. PostgreSQL is not included: set DATABASE_URL.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /souk/target/release/souk /usr/local/bin/souk
COPY LICENSE LICENSE-MIT LICENSE-APACHE src/http/ide/NOTICE /usr/share/doc/souk/
# Images and other files are stored here, unless SOUK_STORAGE names an object store.
COPY --from=build --chown=nonroot:nonroot /data /data
VOLUME /data
ENV SOUK_ENV=production \
    SOUK_DATA_DIR=/data \
    SOUK_LISTEN=0.0.0.0:8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["/usr/local/bin/souk", "health"]
ENTRYPOINT ["/usr/local/bin/souk"]
CMD ["serve"]
