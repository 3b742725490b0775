import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.deidentifier.arx.ARXAnonymizer;
import org.deidentifier.arx.ARXConfiguration;
import org.deidentifier.arx.ARXResult;
import org.deidentifier.arx.AttributeType;
import org.deidentifier.arx.AttributeType.Hierarchy;
import org.deidentifier.arx.Data;
import org.deidentifier.arx.DataHandle;
import org.deidentifier.arx.aggregates.StatisticsEquivalenceClasses;
import org.deidentifier.arx.criteria.DistinctLDiversity;
import org.deidentifier.arx.criteria.EqualDistanceTCloseness;
import org.deidentifier.arx.criteria.KAnonymity;
import org.deidentifier.arx.metric.Metric;

/**
 * Runs ARX once on a table and prints one line of JSON: what it chose, what that costs, and what it took.
 * Arguments: data.csv folder-of-hierarchies prefix k share-of-suppressed-rows metric attribute[,attribute...] [sensitive l t]
 * With "-" as the only argument, lines of such arguments, with tabs between, are read and answered in turn.
 */
public final class Driver {

    public static void main(String[] words) throws Exception {
        if (words.length != 1) {
            System.out.println(once(words));
            return;
        }
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(once(line.split("\t")));
        }
    }

    private static String once(String[] words) throws Exception {
        long start = System.nanoTime();
        List<String> quasi = Arrays.asList(words[6].split(","));
        Data data = Data.create(words[0], StandardCharsets.UTF_8, ';');
        DataHandle handle = data.getHandle();
        for (int i = 0; i < handle.getNumColumns(); i++) {
            data.getDefinition().setAttributeType(handle.getAttributeName(i), AttributeType.INSENSITIVE_ATTRIBUTE);
        }
        for (String name : quasi) {
            File file = new File(words[1], words[2] + name + ".csv");
            data.getDefinition().setAttributeType(name, Hierarchy.create(file, StandardCharsets.UTF_8, ';'));
        }
        ARXConfiguration configuration = ARXConfiguration.create(Double.parseDouble(words[4]), metric(words[5]));
        configuration.addPrivacyModel(new KAnonymity(Integer.parseInt(words[3])));
        if (words.length > 7) {
            data.getDefinition().setAttributeType(words[7], AttributeType.SENSITIVE_ATTRIBUTE);
            int l = Integer.parseInt(words[8]);
            double t = Double.parseDouble(words[9]);
            if (l > 1) configuration.addPrivacyModel(new DistinctLDiversity(words[7], l));
            if (t < 1) configuration.addPrivacyModel(new EqualDistanceTCloseness(words[7], t));
        }
        long read = System.nanoTime();
        ARXResult result = new ARXAnonymizer().anonymize(data, configuration);
        long found = System.nanoTime();
        return report(result, quasi, read - start, found - read, found);
    }

    private static Metric<?> metric(String name) {
        switch (name) {
            case "discernibility": return Metric.createDiscernabilityMetric(false);
            case "discernibility-lenient": return Metric.createDiscernabilityMetric(true);
            case "average-class-size": return Metric.createAECSMetric();
            case "entropy": return Metric.createPrecomputedEntropyMetric(1d, false);
            case "entropy-without-suppression": return Metric.createPrecomputedEntropyMetric(1d, true);
            case "loss": return Metric.createLossMetric();
            case "precision": return Metric.createPrecisionMetric(false);
            default: throw new IllegalArgumentException("no metric " + name);
        }
    }

    private static String report(ARXResult result, List<String> quasi, long read, long search, long found) throws Exception {
        if (result.getGlobalOptimum() == null) {
            return String.format("{\"score\": null, \"read_s\": %.3f, \"search_s\": %.3f, \"output_s\": 0, \"cpu_s\": %.3f, \"memory_kb\": %d}",
                read / 1e9, search / 1e9, cpu(), memory());
        }
        List<Integer> node = new ArrayList<>();
        for (String name : quasi) node.add(result.getGlobalOptimum().getGeneralization(name));
        String score = result.getGlobalOptimum().getHighestScore().toString();
        DataHandle output = result.getOutput(false);
        output.getValue(0, 0);
        long made = System.nanoTime(), memory = memory();
        double cpu = cpu();
        StatisticsEquivalenceClasses classes = output.getStatistics().getEquivalenceClassStatistics();
        return String.format("{\"score\": %s, \"node\": %s, \"classes\": %d, \"suppressed\": %d, \"read_s\": %.3f, \"search_s\": %.3f, "
            + "\"output_s\": %.3f, \"cpu_s\": %.3f, \"memory_kb\": %d}", score, node, classes.getNumberOfEquivalenceClasses(),
            classes.getNumberOfSuppressedRecords(), read / 1e9, search / 1e9, (made - found) / 1e9, cpu, memory);
    }

    /** Seconds of CPU of this process with all its threads, its start included. */
    private static double cpu() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
    }

    /** The most memory that this process ever held. */
    private static long memory() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", ""));
        }
        return 0;
    }
}
