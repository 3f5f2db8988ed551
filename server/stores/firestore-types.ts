import type firestore from '@google-cloud/firestore';

/** The protocol's own types, as the client has them. */
export type Client = InstanceType<typeof firestore.v1.FirestoreClient>;

type CommitRequest = Parameters<Client['commit']>[0];
export type Write = NonNullable<CommitRequest['writes']>[number];
export type Document = NonNullable<Write['update']>;
export type Value = NonNullable<Document['fields']>[string];
export type Fields = Record<string, Value>;
export type Timestamp = NonNullable<Value['timestampValue']>;
export type StructuredQuery = NonNullable<
  NonNullable<Parameters<Client['runQuery']>[0]>['structuredQuery']
>;
