import java.io.DataOutputStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.BooleanWritable;
import org.apache.hadoop.io.BytesWritable;
import org.apache.hadoop.io.DoubleWritable;
import org.apache.hadoop.io.FloatWritable;
import org.apache.hadoop.io.IntWritable;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.NullWritable;
import org.apache.hadoop.io.SequenceFile;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.io.VIntWritable;
import org.apache.hadoop.io.VLongWritable;
import org.apache.hadoop.io.Writable;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.zlib.ZlibFactory;
import org.apache.hadoop.mapred.FileSplit;
import org.apache.hadoop.mapred.JobConf;
import org.apache.hadoop.mapred.RecordWriter;
import org.apache.hadoop.mapred.SequenceFileRecordReader;
import org.apache.hadoop.mapred.TextOutputFormat;
import org.apache.hadoop.util.NativeCodeLoader;
import org.apache.hadoop.util.ReflectionUtils;

/**
 * Hadoop's own reader and writer. Each line of the file of jobs has fields separated by tabs:
 *
 * <pre>
 * write FILE TYPE CODEC KEY VALUE SYNC_INTERVAL BLOCK_BYTES METADATA RECORDS   METADATA is k=v,k=v or empty
 * read  FILE OUT                  the header's five lines, then a record a line
 * parts FILE BYTES OUT            the file in splits of so many bytes, as MapReduce reads them: "part N" before each
 * text  FILE KEY VALUE RECORDS    lines of TextOutputFormat
 * </pre>
 *
 * A record is a key and a value with a tab between them: numbers as digits (floating ones as those of their bits), texts
 * and bytes as hexadecimal digits, a NullWritable as nothing. In "text", "null" is Java's null.
 */
public class Oracle {
  static final String PACKAGE = "org.apache.hadoop.io.";

  static final Map<String, Function<String, Writable>> PARSERS =
      Map.of(
          "Text", s -> new Text(HexFormat.of().parseHex(s)),
          "BytesWritable", s -> new BytesWritable(HexFormat.of().parseHex(s)),
          "IntWritable", s -> new IntWritable(Integer.parseInt(s)),
          "LongWritable", s -> new LongWritable(Long.parseLong(s)),
          "VIntWritable", s -> new VIntWritable(Integer.parseInt(s)),
          "VLongWritable", s -> new VLongWritable(Long.parseLong(s)),
          "FloatWritable", s -> new FloatWritable(Float.intBitsToFloat(Integer.parseInt(s))),
          "DoubleWritable", s -> new DoubleWritable(Double.longBitsToDouble(Long.parseLong(s))),
          "BooleanWritable", s -> new BooleanWritable(Boolean.parseBoolean(s)),
          "NullWritable", s -> NullWritable.get());

  static String show(Object writable) {
    if (writable instanceof Text text) return HexFormat.of().formatHex(text.copyBytes());
    if (writable instanceof BytesWritable bytes) return HexFormat.of().formatHex(bytes.copyBytes());
    if (writable instanceof FloatWritable f) return "" + Float.floatToRawIntBits(f.get());
    if (writable instanceof DoubleWritable d) return "" + Double.doubleToRawLongBits(d.get());
    return writable instanceof NullWritable ? "" : writable.toString();
  }

  public static void main(String[] args) throws Exception {
    Configuration conf = new Configuration();
    // No .crc files beside those that are written, and none asked for.
    conf.set("fs.file.impl", "org.apache.hadoop.fs.RawLocalFileSystem");
    // Its answer is computed once, while there is no native library; see write.
    ZlibFactory.isNativeZlibLoaded(conf);
    for (String line : Files.readAllLines(java.nio.file.Path.of(args[0]))) {
      String[] job = line.split("\t", -1);
      switch (job[0]) {
        case "write" -> write(conf, job);
        case "read" -> save(job[2], read(conf, new Path(job[1])));
        case "parts" -> save(job[3], parts(new JobConf(conf), new Path(job[1]), Long.parseLong(job[2])));
        case "text" -> text(conf, job);
        default -> throw new IllegalArgumentException(line);
      }
    }
  }

  static void save(String file, List<String> lines) throws Exception {
    Files.write(java.nio.file.Path.of(file), lines, StandardCharsets.UTF_8);
  }

  static List<String[]> records(String file) throws Exception {
    return Files.readAllLines(java.nio.file.Path.of(file)).stream().map(line -> line.split("\t", -1)).toList();
  }

  static void write(Configuration common, String[] job) throws Exception {
    Configuration conf = new Configuration(common);
    conf.setInt("io.seqfile.compress.blocksize", Integer.parseInt(job[7]));
    var type = SequenceFile.CompressionType.valueOf(job[2]);
    Class<?> codec = Class.forName(PACKAGE + "compress." + job[3]);
    var metadata = new TreeMap<Text, Text>();
    for (String entry : job[8].isEmpty() ? new String[0] : job[8].split(",")) {
      metadata.put(new Text(entry.split("=")[0]), new Text(entry.split("=")[1]));
    }
    Path path = new Path(job[1]);
    try (var out = FileSystem.get(path.toUri(), conf).create(path)) {
      // The writer refuses gzip without the native library, from the time when Hadoop had no gzip in Java. It has now.
      pretendNative(true);
      try (var writer =
          SequenceFile.createWriter(
              conf,
              SequenceFile.Writer.stream(out),
              SequenceFile.Writer.keyClass(Class.forName(PACKAGE + job[4])),
              SequenceFile.Writer.valueClass(Class.forName(PACKAGE + job[5])),
              SequenceFile.Writer.syncInterval(Integer.parseInt(job[6])),
              SequenceFile.Writer.metadata(new SequenceFile.Metadata(metadata)),
              SequenceFile.Writer.compression(type, (CompressionCodec) ReflectionUtils.newInstance(codec, conf)))) {
        pretendNative(false);
        for (String[] record : records(job[9])) {
          writer.append(PARSERS.get(job[4]).apply(record[0]), PARSERS.get(job[5]).apply(record[1]));
        }
      }
    }
  }

  static void pretendNative(boolean isLoaded) throws Exception {
    Field field = NativeCodeLoader.class.getDeclaredField("nativeCodeLoaded");
    field.setAccessible(true);
    field.setBoolean(null, isLoaded);
  }

  static List<String> read(Configuration conf, Path path) throws Exception {
    var lines = new ArrayList<String>();
    try (var reader = new SequenceFile.Reader(conf, SequenceFile.Reader.file(path))) {
      lines.add(reader.getKeyClassName());
      lines.add(reader.getValueClassName());
      lines.add(reader.getCompressionType().toString());
      lines.add(reader.getCompressionCodec() == null ? "" : reader.getCompressionCodec().getClass().getName());
      lines.add(reader.getMetadata().getMetadata().toString());
      Writable key = (Writable) ReflectionUtils.newInstance(reader.getKeyClass(), conf);
      Writable value = (Writable) ReflectionUtils.newInstance(reader.getValueClass(), conf);
      while (reader.next(key, value)) lines.add(show(key) + "\t" + show(value));
    }
    return lines;
  }

  static List<String> parts(JobConf conf, Path path, long bytes) throws Exception {
    var lines = new ArrayList<String>();
    long length = FileSystem.get(path.toUri(), conf).getFileStatus(path).getLen();
    for (long start = 0; start < length; start += bytes) {
      lines.add("part " + start / bytes);
      var split = new FileSplit(path, start, Math.min(bytes, length - start), new String[0]);
      var reader = new SequenceFileRecordReader<Writable, Writable>(conf, split);
      Writable key = reader.createKey();
      Writable value = reader.createValue();
      while (reader.next(key, value)) lines.add(show(key) + "\t" + show(value));
      reader.close();
    }
    return lines;
  }

  /** The format's own writer of lines, without the folders of a job around it. */
  static class Lines extends TextOutputFormat<Writable, Writable> {
    static RecordWriter<Writable, Writable> into(DataOutputStream out) {
      return new LineRecordWriter<>(out);
    }
  }

  static void text(Configuration common, String[] job) throws Exception {
    JobConf conf = new JobConf(common);
    Path path = new Path(job[1]);
    try (var out = FileSystem.get(path.toUri(), conf).create(path)) {
      var writer = Lines.into(out);
      for (String[] record : records(job[4])) writer.write(parse(job[2], record[0]), parse(job[3], record[1]));
    }
  }

  static Writable parse(String kind, String text) {
    return text.equals("null") ? null : PARSERS.get(kind).apply(text);
  }
}
