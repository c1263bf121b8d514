-- Trusted documents: the GraphQL documents of the shop's own clients, which name them by their ID. A document is never changed.
CREATE TABLE trusted_documents (
    id text CONSTRAINT trusted_documents_pkey PRIMARY KEY
        CONSTRAINT trusted_documents_id_form CHECK (id ~ '^[A-Za-z0-9_.:+/=-]{1,128}$'),
    document text NOT NULL CONSTRAINT trusted_documents_document_length CHECK (char_length(document) BETWEEN 1 AND 1000000),
    -- Of the operation, for people.
    name text,
    created_at timestamptz NOT NULL DEFAULT now()
);
