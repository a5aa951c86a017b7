# The image of the operator; the command line is in it too.
#
#   docker build --tag localhost/usher:0.1.0 .
#
# Both stages stand on the same base, a Debian with python3 and venv: say another one, or pin yours by digest, with
# --build-arg BASE=.... The last stage runs no command, so that its layers are files and nothing is left over from making
# them.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
WORKDIR /src
# python-ldap is published as source alone, so that this stage needs a compiler and the headers of libldap and libsasl.
COPY tests/machine/packages.sh ./
RUN ./packages.sh build
# Whatever is fetched is named by the locks, by its hash, and is a wheel, but for python-ldap. The tools that build and
# install stay behind in this stage.
COPY requirements.lock requirements-build.lock ./
RUN python3 -m venv /tools \
 && /tools/bin/python -m pip install --require-hashes --only-binary :all: --no-deps -r requirements-build.lock \
 && /tools/bin/python -m pip wheel --require-hashes --only-binary :all: --no-binary python-ldap --no-deps \
      --no-build-isolation --wheel-dir /wheels -r requirements.lock
# libldap and what it stands on move into python-ldap's wheel: the last stage has no package manager to install them.
RUN PATH=/tools/bin:$PATH auditwheel repair --wheel-dir /wheels /wheels/python_ldap-*-linux_*.whl \
 && rm /wheels/python_ldap-*-linux_*.whl
COPY pyproject.toml README.md LICENSE ./
COPY operator/usher operator/usher
# From here on nothing is fetched.
RUN /tools/bin/python -m pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels . \
 && python3 -m venv --without-pip /opt/usher \
 && /tools/bin/python -m pip --python /opt/usher/bin/python install --no-index --no-deps /wheels/*.whl \
 && /opt/usher/bin/usher --version \
 && mkdir /state

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="usher" \
      org.opencontainers.image.description="Provisions people into apps: a Kubernetes operator and a command line over one engine" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/usher /opt/usher
# Who runs it without a volume has a place for the state all the same; the root file system may be read-only.
COPY --from=build --chown=65532:65532 /state /var/lib/usher
ENV PATH=/opt/usher/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /var/lib/usher
VOLUME /var/lib/usher
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["usher"]
CMD ["operator"]
