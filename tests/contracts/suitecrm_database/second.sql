UPDATE cases SET status = 'Open_Assigned', assigned_user_id = 'u-1', date_modified = '2026-03-02 09:00:00' WHERE id = 'k-2';
INSERT INTO cases_audit VALUES ('e-4', 'k-2', '2026-03-02 09:00:00', 'u-1', 'status', 'enum', 'Open_Pending Input', 'Open_Assigned', NULL, NULL);
UPDATE users SET status = 'Inactive' WHERE id = 'u-1';
