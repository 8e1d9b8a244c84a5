-- One row a patient out of the OMOP Common Data Model 5.4: the first diagnosis of the concepts named below, follow-up by observation
-- periods, death. Keep objections in a table of the site's own and leave them out here, or give them to import --objections.
WITH first_diagnosis AS (
    SELECT person_id, min(condition_start_date) AS day
    FROM cdm.condition_occurrence
    WHERE condition_concept_id IN (4112853) -- malignant tumour of breast; the network's list goes here
    GROUP BY person_id
), followed AS (
    SELECT person_id, max(observation_period_end_date) AS day FROM cdm.observation_period GROUP BY person_id
)
SELECT p.person_id                                        AS patient,
       CASE p.gender_concept_id WHEN 8532 THEN 'F' WHEN 8507 THEN 'M' END AS sex,
       EXTRACT(year FROM f.day)::int - p.year_of_birth    AS age,
       d.person_id IS NOT NULL                            AS dead,
       f.day                                              AS diagnosis,
       COALESCE(d.death_date, o.day)                      AS last_news
FROM cdm.person p
JOIN first_diagnosis f USING (person_id)
LEFT JOIN followed o USING (person_id)
LEFT JOIN cdm.death d USING (person_id)
ORDER BY p.person_id;
