DROP TABLE address_notices;
DROP TABLE account_tokens;
