# The gateway's image; docs/image.md says how to build, pin and run it, its size, and what of it was proven.
#
# Pin both bases to digests where you build, since a tag moves and a digest does not:
#   --build-arg NODE_IMAGE=docker.io/library/node@sha256:… --build-arg BASE_IMAGE=docker.io/library/debian@sha256:…
ARG NODE_IMAGE=docker.io/library/node:22-bookworm-slim
ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${NODE_IMAGE} AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# The packages in a layer of their own: they change less often than the sources. No package needs its install script.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json LICENSE ./
COPY src/ src/
COPY deploy/image/assemble.mjs deploy/image/sbom.mjs deploy/image/
# The native build never fails an install, so its fruit is asked for. Its flags name no processor: the vector code
# is compiled beside the portable one, and the gateway chooses when it starts.
RUN npm run --silent build:native \
  && test -f build/vigie-kernel.node \
  && npm run --silent build \
  && node deploy/image/assemble.mjs /image \
  && VIGIE_ENGINE=native node /image/app/dist/cli/vigie.js doctor

# Debian and the node binary alone: no npm, no compiler, no sources.
FROM ${BASE_IMAGE} AS image
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="vigie" \
  org.opencontainers.image.description="Verification gateway for signed health-card credentials" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.created="${CREATED}" \
  org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
# By number: Kubernetes cannot tell of a name that it is not root's. The data directory's owner is what a new volume takes.
RUN groupadd --gid 10001 vigie \
  && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin vigie \
  && install -d -o 10001 -g 10001 -m 0700 /var/lib/vigie \
  && ln -s /app/dist/cli/vigie.js /usr/local/bin/vigie
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /image/app/ /app/
# Inside a container loopback reaches nobody, so data and metrics listen on all addresses; admin stays on loopback
# until it has a token. Who may call must be said by whoever runs it (VIGIE_AUTH): without it the start is refused.
ENV NODE_ENV=production \
  VIGIE_HOST=0.0.0.0 \
  VIGIE_METRICS_HOST=0.0.0.0 \
  VIGIE_DATA_DIR=/var/lib/vigie
WORKDIR /app
USER 10001:10001
VOLUME ["/var/lib/vigie"]
EXPOSE 8080 8081 9464
STOPSIGNAL SIGTERM
# Exec form, as below: no shell stands between the engine and node, and so node gets SIGTERM and drains.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.VIGIE_METRICS_PORT || 9464) + '/readyz', { signal: AbortSignal.timeout(4000) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# No object's prototype is to be had by a name that may stand in data, and no signal opens a debugger (SECURITY.md).
ENTRYPOINT ["node", "--disable-proto=throw", "--disable-sigusr1", "/app/dist/cli/vigie.js"]
CMD ["serve"]
