-- Patients of a database whose tables carry the items of OSIRIS-RWD (May 2025) as columns. NonOpposition (item 2.3) is mandatory there:
-- who opposes is left out, and so is who has not been asked yet (NULL).
SELECT p."PatientId"                              AS patient,
       p."PatientOriginCenterId"                  AS centre,
       d."DeathStatus"                            AS dead,
       COALESCE(d."DeathStatusLastContact", d."DeathStatusLastVisit") AS last_news,
       EXISTS (SELECT 1 FROM osiris.metastasis m WHERE m."PatientId" = p."PatientId") AS metastatic,
       (SELECT min(t."DrugStart") FROM osiris.drug t WHERE t."PatientId" = p."PatientId") AS first_drug
FROM osiris.patient p
JOIN osiris.consent c ON c."PatientId" = p."PatientId" AND c."NonOpposition" IS TRUE
LEFT JOIN osiris.death d ON d."PatientId" = p."PatientId"
ORDER BY p."PatientId";
