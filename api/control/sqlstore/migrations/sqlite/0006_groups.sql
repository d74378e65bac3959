-- The group "users" as a fresh installation makes it: it may work on notifications,
-- which came after it. Scopes that a person chose stay as they are.
UPDATE user_groups SET version = version + 1,
  scopes = '["manage:projects:*","manage:tags:*","manage:secrets:*","manage:notifications:*","manage:members:read","manage:api-key:create","manage:config:read","resources:*","automation:*","data:*"]'
WHERE id = '44c39f8385e4762a4e5a93d0' AND
  scopes = '["manage:projects:*","manage:tags:*","manage:secrets:*","manage:members:read","manage:api-key:create","manage:config:read","resources:*","automation:*","data:*"]';
