# The catalog's image, as "opm generate dockerfile" writes it. The cache is made here,
# since OLM does not let the pod make it.
FROM quay.io/operator-framework/opm:v1.56.0 AS builder
ADD catalog/configs /configs
RUN ["/bin/opm", "serve", "/configs", "--cache-dir=/tmp/cache", "--cache-only"]

FROM quay.io/operator-framework/opm:v1.56.0
ENTRYPOINT ["/bin/opm"]
CMD ["serve", "/configs", "--cache-dir=/tmp/cache"]
COPY --from=builder /configs /configs
COPY --from=builder /tmp/cache /tmp/cache
LABEL operators.operatorframework.io.index.configs.v1=/configs
