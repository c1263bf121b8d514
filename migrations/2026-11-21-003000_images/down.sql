DROP TABLE images;
DROP TABLE media;
DROP FUNCTION audit_image();
