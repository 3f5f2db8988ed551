# The files as they are: Node 24 runs them without a build.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package of the service needs a script of its own to be installed.
RUN npm ci --omit=dev --ignore-scripts \
  # Comes along with valibot, whose types it checks: a third of all, and never imported.
  && rm -rf node_modules/typescript node_modules/@typescript

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json firestore.indexes.json ./
COPY server server
COPY views views
COPY jobs jobs
COPY scripts scripts
# For SQLite on a machine of one's own: mount a volume here. On Cloud Run nothing is written to it.
RUN mkdir .data .compile-cache && chown node:node .data .compile-cache
USER node
# Compiled ahead of the first start, by the user and the Node that run it.
RUN node scripts/compile-cache.ts
EXPOSE 8080
CMD ["node", "server/start.js"]
